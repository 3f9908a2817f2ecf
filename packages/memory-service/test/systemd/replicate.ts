/** `memsvc-replicate.service`, as install-unit writes it, under a real systemd, beside an etcd that asks for a password. */
import { SharedStore } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const { boxProblem, INSTALLED_MEMSVC, nodeChildProcess, nodeFs, nodePath, SystemdBox, until } = support
const UNIT = 'memsvc-replicate.service'
const SOCKET = '/run/memsvc/registry.sock'
const ETCD = 'http://127.0.0.1:2379'
const PASSWORD = 'etcd-password'
const CONFIGURATION = {
  replicate: { endpoints: [ETCD], prefix: 'memsvc/', machine: 'box', user: 'web', passwordFile: PASSWORD },
}
/** A machine that has much else to do is slow. */
const PATIENCE = { timeoutMs: 60_000 }
const hasEtcd = ['etcd', 'etcdctl'].every((name) => nodeChildProcess.spawnSync(name, ['--version']).status !== null)
const skip = boxProblem() || (hasEtcd ? false : 'there is no etcd here: apt-get install etcd-server etcd-client')

/** A box, and seven restarts in it, on a machine that has much else to do. */
const FILE_MS = 900_000
t.setTimeout(FILE_MS)
watchdog(t, FILE_MS)
leakChecked(t)

t.test('the unit of the replicator under a real systemd', { skip }, async (t) => {
  const box = await SystemdBox.boot(t, ['@memsvc/replication'])
  const property = (name: string) => box.ask('systemctl', 'show', UNIT, '--property', name, '--value')
  const untilProperty = (name: string, isWanted: (value: string) => boolean) => until(() => property(name), isWanted)
  /** @throws Error with what the unit has said */
  const control = async (verb: 'start' | 'restart') => {
    const { code } = await box.run('systemctl', verb, UNIT)
    if (code !== 0) throw new Error(await box.ask('journalctl', '--unit', UNIT, '--output', 'cat', '--lines', '20'))
  }
  const write = (path: string, text: string, mode = 0o644) => {
    nodeFs.mkdirSync(box.path(nodePath.dirname(path)), { recursive: true })
    nodeFs.writeFileSync(box.path(path), text, { mode })
  }
  const etcdctl = (...args: string[]) =>
    box.ask('env', 'ETCDCTL_API=3', 'etcdctl', '--endpoints', ETCD, '--command-timeout=60s', ...args)
  const asRoot = (...args: string[]) => etcdctl('--user', 'root:r', ...args)
  const startEtcd = () =>
    box.ask('systemd-run', '--unit=node', '--quiet', '--service-type=notify', 'etcd', '--data-dir', '/run/node')
  const replicate = (...options: string[]) => [process.execPath, INSTALLED_MEMSVC, 'replicate', ...options].join(' ')
  /** As `systemctl edit` does. */
  const edit = async (text: string) => {
    write(`/etc/systemd/system/${UNIT}.d/test.conf`, text)
    await box.ask('systemctl', 'daemon-reload')
  }

  await t.test('systemd has nothing to say of it', async (t) => {
    write('/etc/memsvc/memsvc.json', JSON.stringify(CONFIGURATION))
    t.match(await box.memsvc('install-unit', '--system', '--replicate'), `/etc/systemd/system/${UNIT}`)
    await edit(
      `[Service]\nExecStart=\nExecStart=${replicate('--registry', SOCKET, '--ready-within', '600')}\nTimeoutStartSec=900\n`,
    )
    t.strictSame(await box.run('systemd-analyze', 'verify', `/etc/systemd/system/${UNIT}`), {
      code: 0,
      stdout: '',
      stderr: '',
    })
    await box.ask('systemctl', 'enable', '--now', 'memsvc.socket')
  })

  await t.test('it is ready when the copy is live, with a password that only it can read', async (t) => {
    await startEtcd()
    for (const args of [
      ['user', 'add', 'root:r'],
      ['user', 'add', 'web:secret'],
      ['role', 'add', 'ours'],
      ['role', 'grant-permission', 'ours', '--prefix=true', 'readwrite', 'memsvc/'],
      ['user', 'grant-role', 'web', 'ours'],
      ['user', 'grant-role', 'root', 'root'],
    ])
      await etcdctl(...args)
    await etcdctl('put', 'memsvc/limits.rps', '500')
    await etcdctl('auth', 'enable')
    write(`/etc/memsvc/${PASSWORD}`, 'secret\n', 0o600)
    await control('start')
    t.match(await property('StatusText'), /^live: 1 keys/)
    using store = await SharedStore.open('ClusterStore', { path: box.path(SOCKET) })
    t.equal(store.get('limits.rps'), 500)
    await store.set('limits.rps', 400, PATIENCE)
    t.match(await asRoot('get', '--print-value-only', 'memsvc/limits.rps'), '400')
  })

  await t.test('it has no privilege, another user, and a filter of system calls', async (t) => {
    const status = await box.ask('cat', `/proc/${await property('MainPID')}/status`)
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
    t.not(field('Uid'), '0')
    t.match({ caps: field('CapEff'), bounds: field('CapBnd') }, { caps: /^0+$/, bounds: /^0+$/ })
    t.strictSame([field('NoNewPrivs'), field('Seccomp')], ['1', '2'])
  })

  await t.test('after kill -9 it comes back, and whoever reads follows', async (t) => {
    using store = await SharedStore.open('ClusterStore', { path: box.path(SOCKET) })
    const before = await property('MainPID')
    await box.ask('systemctl', 'kill', '--kill-who=main', '--signal=KILL', UNIT)
    t.equal(store.get('limits.rps'), 400)
    await asRoot('put', 'memsvc/limits.rps', '300')
    await untilProperty('MainPID', (pid) => pid !== before && pid !== '0')
    await until(
      async () => store.get('limits.rps'),
      (value) => value === 300,
    )
    await untilProperty('ActiveState', (state) => state === 'active')
  })

  await t.test('it reaches what IPAddressAllow names, and nothing else', async (t) => {
    const open = [
      'systemd-run',
      '--quiet',
      '--wait',
      '--collect',
      '--property=IPAddressDeny=any',
      process.execPath,
      '-e',
    ]
    const connect = `fetch('${ETCD}/version', { signal: AbortSignal.timeout(60000) }).then(() => process.exit(0), () => process.exit(7))`
    t.match(await property('IPAddressDeny'), '::/0')
    if ((await box.run(...open, connect)).code === 0) return t.comment('this kernel filters no addresses for a box')
    await edit(
      `[Service]\nIPAddressAllow=\nExecStart=\nExecStart=${replicate('--registry', SOCKET, '--ready-within', '1')}\n`,
    )
    await control('restart')
    t.match(await untilProperty('StatusText', (text) => text.includes('(')), /^syncing/)
    await edit(`[Service]\nExecStart=\nExecStart=${replicate('--registry', SOCKET, '--ready-within', '1')}\n`)
    await control('restart')
    t.match(await untilProperty('StatusText', (text) => text.startsWith('live')), /1 keys/)
  })

  await t.test(
    'without the cluster it is ready all the same after a while, and says that it is not live',
    async (t) => {
      await box.ask('systemctl', 'stop', 'node.service')
      await edit(`[Service]\nExecStart=\nExecStart=${replicate('--registry', SOCKET, '--ready-within', '1')}\n`)
      await control('restart')
      t.equal(await property('ActiveState'), 'active')
      t.match(await property('StatusText'), /^syncing: 0 keys/)
      using store = await SharedStore.open('ClusterStore', { path: box.path(SOCKET) })
      t.equal(store.status.state, 'syncing')
      await startEtcd()
      await untilProperty('StatusText', (text) => text.startsWith('live'))
      t.equal(store.get('limits.rps'), 300)
    },
  )

  await t.test('a stop is clean', async (t) => {
    await box.ask('systemctl', 'stop', UNIT)
    t.equal(await property('Result'), 'success')
  })
})
