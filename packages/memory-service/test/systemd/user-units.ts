/** The daemon of a user: under a real `systemd --user`, in a box where a user has one without having logged in. */

import { fileURLToPath } from 'node:url'
import { leakChecked, runProgram, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { boxProblem, INSTALLED_MEMSVC, SystemdBox, until } from '../../test-support/index.ts'

const MEMCLIENT = fileURLToPath(new URL('../../../../client-cli/bin/memclient.cjs', import.meta.url))
const HOME = '/run/home'
const ENVIRONMENT = [`XDG_RUNTIME_DIR=${HOME}`, `HOME=${HOME}`]
const SOCKET = `${HOME}/memsvc/registry.sock`

watchdog(t)
leakChecked(t)

t.test('under a real systemd --user', { skip: boxProblem() }, async (t) => {
  const box = await SystemdBox.boot(t)
  const manager = ['--unit=manager', '--quiet', '--uid=nobody', '--gid=nogroup', '--property=Delegate=yes']
  const folder = ['--property=RuntimeDirectory=home', '--property=RuntimeDirectoryMode=0700', '--property=Type=notify']
  const environment = ENVIRONMENT.flatMap((variable) => ['--setenv', variable])
  await box.ask('systemd-run', ...manager, ...folder, ...environment, '/lib/systemd/systemd', '--user')

  const user = (...command: string[]) => {
    const identity = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups']
    return box.ask(...identity, 'env', ...ENVIRONMENT, ...command)
  }
  const property = (name: string) => user('systemctl', '--user', 'show', 'memsvc.service', '-P', name)
  const uid = await box.ask('id', '-u', 'nobody')
  const env = { MEMSVC_REGISTRY: box.path(SOCKET) }
  /** As root, to whom this user's registry has to be named. */
  const memclient = async (...args: string[]) => {
    const { code, stdout, stderr } = await runProgram(MEMCLIENT, [...args, '--registry-owner', uid], { env })
    if (code !== 0) throw new Error(`memclient ${args.join(' ')} ended with ${code}: ${stderr}`)
    return stdout
  }

  await t.test('the units are installed by the user, and are enabled without a word', async (t) => {
    const files = await user(process.execPath, INSTALLED_MEMSVC, 'install-unit', '--user')
    t.match(files, `${HOME}/.config/systemd/user/memsvc.socket`)
    await user('systemctl', '--user', 'daemon-reload')
    await user('systemctl', '--user', 'enable', '--now', 'memsvc.socket')
    t.equal(await property('ActiveState'), 'inactive')
  })

  await t.test('a client starts the daemon by connecting: it is the user, with a filter of system calls', async (t) => {
    t.equal(await memclient('read'), '0')
    t.equal(
      await until(
        () => property('ActiveState'),
        (state) => state === 'active',
      ),
      'active',
    )
    const status = await box.ask('cat', `/proc/${await property('MainPID')}/status`)
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
    t.equal(field('Uid'), uid)
    t.strictSame([field('NoNewPrivs'), field('Seccomp')], ['1', '2'])
  })

  await t.test('root does not trust it unasked', async (t) => {
    const { code, stderr } = await runProgram(MEMCLIENT, ['read'], { env })
    t.equal(code, 4)
    t.match(stderr, `belongs to uid ${uid} `)
    t.match(stderr, `to trust that user add --registry-owner ${uid}`)
  })

  await t.test('the value survives kill -9', async (t) => {
    await memclient('write', '42')
    const before = await property('MainPID')
    await user('systemctl', '--user', 'kill', '--kill-who=main', '--signal=KILL', 'memsvc.service')
    await until(
      () => property('MainPID'),
      (pid) => pid !== before && pid !== '0',
    )
    t.equal(await memclient('read'), '42')
  })

  await t.test('a reload changes no process, a stop is clean', async (t) => {
    const before = await property('MainPID')
    await user('systemctl', '--user', 'reload', 'memsvc.service')
    t.equal(await property('MainPID'), before)
    t.equal(await memclient('read'), '42')
    await user('systemctl', '--user', 'stop', 'memsvc.service')
    t.equal(await property('Result'), 'success')
  })
})
