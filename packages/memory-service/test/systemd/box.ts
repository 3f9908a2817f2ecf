/** The daemon under a real systemd, with a client outside of the box that watches the value all the while. */
import { SharedStore } from '@memsvc/shared'
import { leakChecked, runProgram, startProgram, watchdog } from '@memsvc/shared/test-support'
import { connect, constants, sendmsg, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { boxProblem, INSTALLED_MEMSVC, nodeFs, nodePath, nodeUrl, SystemdBox, until } from '../../test-support/index.ts'

const MEMCLIENT = nodeUrl.fileURLToPath(new URL('../../../../client-cli/bin/memclient.cjs', import.meta.url))
const SOCKET = '/run/memsvc/registry.sock'
const CONFIGURATION = '/etc/memsvc/memsvc.json'
const DROP_IN = '/run/systemd/system/memsvc.service.d/test.conf'
/** Of `--state`. */
const STATE_DROP_IN = '/etc/systemd/system/memsvc.service.d/state.conf'
const SYSTEMD_PAGE = nodeUrl.fileURLToPath(new URL('../../../../../docs/systemd.md', import.meta.url))
const ERROR = 3
const WARNING = 4
const INFO = 6

const skip = boxProblem()

watchdog(t)
leakChecked(t)

t.test('under a real systemd', { skip }, async (t) => {
  const box = await SystemdBox.boot(t, ['lmdb'])
  const registry = box.path(SOCKET)
  const version = Number(/\d+/.exec(await box.ask('systemctl', '--version'))?.[0])

  async function memclient(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram(MEMCLIENT, args, { env: { MEMSVC_REGISTRY: registry } })
    if (code !== 0) throw new Error(`memclient ${args.join(' ')} ended with ${code}: ${stderr}`)
    return stdout
  }

  const watching = `memclient: watching AnonymousSharedMemory at ${registry}`

  /** `memclient watch`, up to now. What it says from here on is in its stdout. */
  async function watch(t: Test) {
    const watcher = startProgram(MEMCLIENT, ['watch'], { env: { MEMSVC_REGISTRY: registry } })
    t.teardown(() => watcher.destroy())
    const first = await watcher.stdout.next()
    if (first === null) throw new Error(watcher.stderr.text)
    t.equal(await watcher.stderr.next(), watching)
    return watcher
  }

  /** Does something that ends the daemon; resolves when another one runs. */
  async function untilReplaced(act: () => Promise<unknown>): Promise<void> {
    const before = await box.property('MainPID')
    await act()
    await box.untilProperty('MainPID', (pid) => pid !== before && pid !== '0')
    await box.untilProperty('ActiveState', (state) => state === 'active')
  }

  function kill(signal: 'KILL' | 'STOP'): Promise<string> {
    return box.ask('systemctl', 'kill', '--kill-who=main', `--signal=${signal}`, 'memsvc.service')
  }

  await t.test('the units that install-unit writes are accepted without a word', async (t) => {
    const files = await box.memsvc('install-unit', '--system')
    const units = ['memsvc.socket', 'memsvc.service'].map((name) => `/etc/systemd/system/${name}`)
    t.strictSame(files.split('\n').slice(0, 2), units)
    t.strictSame(await box.run('systemd-analyze', 'verify', ...units), { code: 0, stdout: '', stderr: '' })
    await box.ask('systemctl', 'daemon-reload')
    await box.ask('systemctl', 'enable', '--now', 'memsvc.socket')
  })

  await t.test('a client starts the daemon by connecting, and finds its service', async (t) => {
    t.equal(await box.property('ActiveState'), 'inactive')
    t.equal(await memclient('read'), '0')
    await box.untilProperty('ActiveState', (state) => state === 'active')
  })

  await t.test('the status line has the live counts', async (t) => {
    t.ok(await box.untilProperty('StatusText', (text) => text === 'services: 2, channels: 0, watchers: 0'))
    await watch(t)
    t.ok(await box.untilProperty('StatusText', (text) => text === 'services: 2, channels: 1, watchers: 1'))
  })

  await t.test('the daemon has no privilege, another user, and a filter of system calls', async (t) => {
    const status = await box.ask('cat', `/proc/${await box.property('MainPID')}/status`)
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
    t.not(field('Uid'), '0')
    t.match({ caps: field('CapEff'), bounds: field('CapBnd') }, { caps: /^0+$/, bounds: /^0+$/ })
    t.strictSame([field('NoNewPrivs'), field('Seccomp')], ['1', '2'])
  })

  const deaths: [string, () => Promise<unknown>][] = [
    ['kill -9', () => kill('KILL')],
    ['systemctl restart', () => box.ask('systemctl', 'restart', 'memsvc.service')],
    ['memsvc stop', () => box.memsvc('stop', '--registry', SOCKET)],
  ]
  for (const [index, [name, act]] of deaths.entries()) {
    await t.test(`the value survives ${name}, and who watches sees the next one`, async (t) => {
      const [last, next] = [100 + index, 200 + index]
      await memclient('write', String(last))
      using store = await SharedStore.open('SharedStore', { path: registry })
      await store.set('kept', { last })
      const before = store.getEntry('kept')
      const watcher = await watch(t)
      await untilReplaced(act)
      t.equal(await memclient('read'), String(last))
      await memclient('write', String(next))
      await watcher.stdout.find((line) => line === String(next))
      t.strictSame([...new Set(watcher.stdout.text.split('\n'))], [String(last), String(next)], 'never another value')
      t.ok((await store.set('new', last)) > before.version)
      t.strictSame(store.getEntry('kept'), before)
      t.equal(
        await box.property('NFileDescriptorStore'),
        '3',
        'the region, the area and its notes, and no earlier ones',
      )
    })
  }

  await t.test('a daemon that hangs is replaced, and its value survives', async (t) => {
    nodeFs.mkdirSync(box.path(nodePath.dirname(DROP_IN)), { recursive: true })
    nodeFs.writeFileSync(box.path(DROP_IN), '[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n')
    await box.ask('systemctl', 'daemon-reload')
    await box.ask('systemctl', 'restart', 'memsvc.service')
    await memclient('write', '7')
    const watcher = await watch(t)
    await untilReplaced(() => kill('STOP'))
    t.equal(await memclient('read'), '7')
    await memclient('write', '8')
    await watcher.stdout.find((line) => line === '8')
    t.strictSame([...new Set(watcher.stdout.text.split('\n'))], ['7', '8'])
    const log = await box.ask('journalctl', '--unit', 'memsvc.service', '--output', 'cat')
    t.match(log, "Failed with result 'watchdog'")
    nodeFs.rmSync(box.path(DROP_IN))
    await box.ask('systemctl', 'daemon-reload')
    await box.ask('systemctl', 'restart', 'memsvc.service')
  })

  await t.test('a reload changes neither the process nor its channels', async (t) => {
    const watcher = await watch(t)
    const before = await box.property('MainPID')
    await box.ask('systemctl', 'reload', 'memsvc.service')
    await box.untilProperty('ActiveState', (state) => state === 'active')
    t.equal(await box.property('MainPID'), before)
    await memclient('write', '9')
    await watcher.stdout.find((line) => line === '9')
    t.equal(watcher.stderr.text, watching, 'it had nothing to come back from')
  })

  await t.test('a reload brings other rules, with names that are looked up from within the sandbox', async (t) => {
    const watcher = await watch(t)
    const nobody = [
      'setpriv',
      '--reuid=nobody',
      '--regid=nogroup',
      '--clear-groups',
      process.execPath,
      INSTALLED_MEMSVC,
    ]
    const list = () => box.ask(...nobody, 'list', '--registry', SOCKET)
    const reload = async (find: string[]) => {
      nodeFs.writeFileSync(box.path(CONFIGURATION), JSON.stringify({ rules: [{ names: ['*'], find }] }))
      await box.ask('systemctl', 'reload', 'memsvc.service')
      await box.untilProperty('ActiveState', (state) => state === 'active')
    }
    t.match(await list(), 'AnonymousSharedMemory')
    nodeFs.mkdirSync(box.path(nodePath.dirname(CONFIGURATION)), { recursive: true })
    await reload([])
    t.equal(await list(), '')
    await reload(['nobody', '@nogroup'])
    t.match(await list(), 'AnonymousSharedMemory')
    await reload(['a-user-who-is-not-there'])
    t.match(await list(), 'AnonymousSharedMemory', 'the old rules stay')
    const isReason = ({ message }: { message: string }) => message.includes('memsvc.json:1: there is no user')
    t.ok(
      (
        await until(
          () => box.journal(),
          (lines) => lines.some(isReason),
        )
      ).length > 0,
    )
    nodeFs.rmSync(box.path(CONFIGURATION))
    for (const value of ['10', '9']) {
      await memclient('write', value)
      await watcher.stdout.find((line) => line === value)
    }
    t.equal(watcher.stderr.text, watching, 'it had nothing to come back from')
  })

  await t.test('lines of the log have priorities in the journal', async (t) => {
    using stranger = socket(constants.SOCK_SEQPACKET)
    connect(stranger, registry)
    sendmsg(stranger, Buffer.from('no packet of ours'))
    const isWarning = ({ message }: { message: string }) => message.includes('"level":40')
    const journal = await until(
      () => box.journal(),
      (lines) => lines.some(isWarning),
    )
    t.equal(journal.find(isWarning)?.priority, WARNING)
    t.equal(journal.find(({ message }) => message.includes('"ready"'))?.priority, INFO)
    const isPrefixed = ({ message }: { message: string }) => message.startsWith('<')
    t.notOk(journal.some(isPrefixed), 'the prefix is no part of the message')
  })

  await t.test('and fields, by which journalctl finds them', async (t) => {
    const find = async (...match: string[]) => {
      const lines = await box.ask('journalctl', '--unit', 'memsvc.service', '--output', 'json', ...match)
      return lines.split('\n').map((line) => JSON.parse(line) as Record<string, string>)
    }
    const ofRoot = await find('MEMSVC_UID=0')
    t.ok(ofRoot.length > 0)
    for (const line of ofRoot)
      t.match(line, { MEMSVC_UID: '0', SYSLOG_IDENTIFIER: 'memsvc', _TRANSPORT: 'journal', MESSAGE: /"uid":0/ })
    t.match(await find(`MEMSVC_REGISTRY=${SOCKET}`), [{ PRIORITY: '6' }])
    const pids = (await find()).map(({ _PID }) => _PID)
    t.ok(pids.includes(await box.property('MainPID')), 'the journal knows whose they are')
  })

  await t.test('a stop is clean, and the next client starts the daemon again', async (t) => {
    await box.ask('systemctl', 'stop', 'memsvc.service')
    t.equal(await box.property('Result'), 'success')
    t.equal(await memclient('read'), version >= 254 ? '9' : '0', 'before systemd 254 a stop drops what was kept')
  })

  await t.test('with the drop-in for a state folder stores survive what systemd does not keep', async (t) => {
    const [, dropIn = ''] =
      /```ini\n(\[Service\]\nStateDirectory=[^`]*)```/.exec(nodeFs.readFileSync(SYSTEMD_PAGE, 'utf8')) ?? []
    t.match(dropIn, '/usr/bin/env memsvc start')
    const program = `${process.execPath} ${INSTALLED_MEMSVC}`
    nodeFs.mkdirSync(box.path(nodePath.dirname(STATE_DROP_IN)), { recursive: true })
    nodeFs.writeFileSync(box.path(STATE_DROP_IN), dropIn.replace('/usr/bin/env memsvc', program))
    await box.ask('systemctl', 'daemon-reload')
    await box.ask('systemctl', 'restart', 'memsvc.service')
    await box.untilProperty('ActiveState', (state) => state === 'active')
    const open = () => SharedStore.open('SharedStore', { path: registry })
    let before: unknown
    let version: bigint
    {
      using store = await open()
      version = await store.set('on disk', { large: 'x'.repeat(100_000) })
      before = store.getEntry('on disk')
    }
    const folder = await box.ask('stat', '--format', '%a %u', '/var/lib/private/memsvc')
    t.match(folder, /^700 [1-9]/, 'of a user that no client is, and for nobody else')
    const acts = [
      () => kill('KILL'),
      async () => {
        await box.ask('systemctl', 'stop', 'memsvc.socket', 'memsvc.service')
        // Since 254 it would keep the areas.
        await box.run('systemctl', 'clean', '--what=fdstore', 'memsvc.service')
        t.equal(await box.property('NFileDescriptorStore'), '0')
        await box.ask('systemctl', 'start', 'memsvc.socket', 'memsvc.service')
      },
    ]
    for (const act of acts) {
      await untilReplaced(act)
      using store = await open()
      t.strictSame(store.getEntry('on disk'), before)
      const next = await store.set('next', 1)
      t.ok(next > version)
      version = next
    }
    const status = JSON.parse(await box.memsvc('status', '--json', '--registry', SOCKET)) as { stores: unknown[] }
    t.match(status.stores, [{ name: 'SharedStore', keys: 2, state: { failing: false } }])
    nodeFs.rmSync(box.path(STATE_DROP_IN))
    await box.ask('systemctl', 'daemon-reload')
    await box.ask('systemctl', 'restart', 'memsvc.service')
    await box.untilProperty('ActiveState', (state) => state === 'active')
  })

  await t.test('another daemon joins the registry, and leaves the socket alone when its host dies', async (t) => {
    const unit = ['--unit=other', '--quiet', '--service-type=exec']
    await box.ask(
      'systemd-run',
      ...unit,
      process.execPath,
      INSTALLED_MEMSVC,
      'start',
      '--registry',
      SOCKET,
      '--name',
      'Other',
    )
    const names = async () => (await memclient('list')).split('\n').map((line) => line.split('\t')[0])
    const areBothThere = (found: unknown[]) => found.length === 3
    t.strictSame(await until(names, areBothThere), ['AnonymousSharedMemory', 'Other', 'SharedStore'])
    await untilReplaced(() => kill('KILL'))
    t.strictSame(await until(names, areBothThere), ['AnonymousSharedMemory', 'Other', 'SharedStore'])
    t.equal(JSON.parse(await box.memsvc('status', '--json', '--registry', SOCKET)).host, true)
  })

  await t.test(
    'a socket that is gone is said in the journal and the status, and made again with its unit',
    async (t) => {
      const remedy = 'systemctl restart memsvc.socket'
      const watcher = await watch(t)
      for (const value of ['20', '21']) {
        const last = await memclient('read')
        await box.ask('rm', SOCKET)
        await box.untilProperty('StatusText', (text) => text.includes(remedy))
        const isReason = ({ priority, message }: { priority: number; message: string }) =>
          priority === ERROR && message.includes(remedy)
        t.ok((await box.journal()).some(isReason))
        await untilReplaced(() => box.ask('systemctl', 'restart', 'memsvc.socket', 'memsvc.service'))
        t.equal(await memclient('read'), last, 'the value survives')
        await memclient('write', value)
        t.ok(await watcher.stdout.find((line) => line === value))
      }
    },
  )

  await t.test('a socket of another path ends the start with a line that says what to change', async (t) => {
    const dropIn = '/run/systemd/system/memsvc.socket.d/test.conf'
    nodeFs.mkdirSync(box.path(nodePath.dirname(dropIn)), { recursive: true })
    nodeFs.writeFileSync(box.path(dropIn), '[Socket]\nListenSequentialPacket=/run/memsvc/second.sock\n')
    await box.ask('systemctl', 'stop', 'memsvc.socket', 'memsvc.service')
    await box.ask('systemctl', 'daemon-reload')
    await box.run('systemctl', 'start', '--no-block', 'memsvc.socket', 'memsvc.service')
    const isReason = ({ message }: { message: string }) =>
      message.includes('memsvc: not all inherited sockets can be used')
    const lines = await until(
      () => box.journal(),
      (journal) => journal.some(isReason),
    )
    t.match(
      lines.find(isReason)?.message,
      /second\.sock \(descriptor \d, FileDescriptorName=memsvc\): not at the registry/,
    )
    await box.ask('systemctl', 'stop', 'memsvc.socket', 'memsvc.service')
  })
})
