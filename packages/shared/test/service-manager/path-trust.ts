/** The way to the registry, folder by folder: whose each may be, with which mode, and what a symbolic link adds to it. */

import * as native from 'memfd-native'
import t, { type Test } from 'tap'
import { checkPathTrust, stepsTo, TrustedUsers } from '../../src/internal.ts'
import { openRegistry } from '../../src/service-manager/registry-socket.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)

const skip = process.getuid?.() === 0 ? false : 'needs root to give folders away'
const TRUSTED = new TrustedUsers({ trustsOverflow: false })

function verdict(path: string, trusted = TRUSTED): unknown {
  return support.outcome(() => checkPathTrust('it', path, trusted)) ?? 'trusted'
}

/** outer/inner/registry.sock in a folder of its own. */
class Way {
  readonly top: string
  readonly outer: string
  readonly inner: string
  readonly socket: string

  constructor(t: Test) {
    this.top = support.nodePath.dirname(support.newRegistryPath(t))
    this.outer = support.nodePath.join(this.top, 'outer')
    this.inner = support.nodePath.join(this.outer, 'inner')
    this.socket = support.nodePath.join(this.inner, 'registry.sock')
    support.nodeFs.mkdirSync(this.inner, { recursive: true })
    support.nodeFs.writeFileSync(this.socket, '')
  }
}

const MODES: [mode: number, verdict: string][] = [
  [0o700, 'trusted'],
  [0o755, 'trusted'],
  [0o770, 'trusted'],
  [0o775, 'trusted'],
  [0o1777, 'trusted'],
  [0o1770, 'trusted'],
  [0o777, 'ERR_SECURITY'],
  [0o702, 'ERR_SECURITY'],
  [0o2777, 'ERR_SECURITY'],
]

for (const [mode, expected] of MODES) {
  t.test(`a folder of mode ${mode.toString(8)} anywhere on the way: ${expected}`, async (t) => {
    for (const which of ['top', 'outer', 'inner'] as const) {
      const way = new Way(t)
      support.nodeFs.chmodSync(way[which], mode)
      t.equal(verdict(way.socket), expected, which)
      t.equal(
        verdict(support.nodePath.join(way.inner, 'not/there/yet')),
        expected,
        `${which}, on the way to what is not there`,
      )
    }
  })
}

t.test('a folder of another user anywhere on the way is refused, until that user is named', { skip }, async (t) => {
  for (const which of ['top', 'outer', 'inner'] as const) {
    const way = new Way(t)
    support.nodeFs.lchownSync(way[which], support.OTHER_UID, support.OTHER_UID)
    const message = `it is not trusted: ${way[which]} belongs to uid ${support.OTHER_UID} (mode 0`
    t.throws(() => checkPathTrust('it', way.socket, TRUSTED), { code: 'ERR_SECURITY', message }, which)
    t.throws(() => checkPathTrust('it', way.socket, TRUSTED), { message: `--registry-owner ${support.OTHER_UID}` })
    t.equal(verdict(way.socket, new TrustedUsers({ owner: support.OTHER_UID, trustsOverflow: false })), 'trusted')
    t.equal(verdict(way.socket, new TrustedUsers({ self: support.OTHER_UID, trustsOverflow: false })), 'trusted')
    t.equal(verdict(way.socket, new TrustedUsers({ owner: 4711, trustsOverflow: false })), 'ERR_SECURITY')
  }
})

t.test("a stranger's socket or lock is refused in a sticky folder, and nowhere else", { skip }, async (t) => {
  const way = new Way(t)
  support.nodeFs.lchownSync(way.socket, support.OTHER_UID, support.OTHER_UID)
  t.equal(verdict(way.socket), 'trusted')
  for (const mode of [0o1777, 0o1770]) {
    support.nodeFs.chmodSync(way.inner, mode)
    t.equal(verdict(way.socket), 'ERR_SECURITY', mode.toString(8))
  }
})

t.test('a symbolic link counts with its owner and with the folders that it leads through', { skip }, async (t) => {
  const way = new Way(t)
  const link = support.nodePath.join(support.nodePath.dirname(support.newRegistryPath(t)), 'link')
  support.nodeFs.symlinkSync(way.socket, link)
  t.equal(verdict(link), 'trusted')
  support.nodeFs.lchownSync(link, support.OTHER_UID, support.OTHER_UID)
  t.equal(verdict(link), 'ERR_SECURITY', 'a link of a stranger')
  support.nodeFs.lchownSync(link, 0, 0)
  support.nodeFs.chmodSync(way.outer, 0o777)
  t.equal(verdict(link), 'ERR_SECURITY', 'a link into an open folder')
  support.nodeFs.chmodSync(way.outer, 0o755)
  support.nodeFs.chmodSync(support.nodePath.dirname(link), 0o777)
  t.equal(verdict(link), 'ERR_SECURITY', 'a link in an open folder')
})

t.test('links to folders, up and in circles are walked as the kernel walks them', async (t) => {
  const way = new Way(t)
  support.nodeFs.symlinkSync('outer/inner', support.nodePath.join(way.top, 'short'))
  support.nodeFs.symlinkSync('circle', support.nodePath.join(way.top, 'circle'))
  t.equal(verdict(support.nodePath.join(way.top, 'short/registry.sock')), 'trusted')
  t.equal(verdict(support.nodePath.join(way.top, 'circle/registry.sock')), 'trusted', 'connect(2) says ELOOP')
  support.nodeFs.chmodSync(way.outer, 0o777)
  t.equal(verdict(support.nodePath.join(way.top, 'short/registry.sock')), 'ERR_SECURITY')
  t.equal(verdict(`${way.top}/short/../registry.sock`), 'ERR_SECURITY', 'up from where the link leads')
  t.equal(verdict(support.nodePath.join(way.top, 'registry.sock')), 'trusted')
  t.equal(verdict(`${way.top}//./registry.sock`), 'trusted')
})

t.test('a relative path goes from the working directory, with all that is above it', async (t) => {
  const [first, ...rest] = [...stepsTo('registry.sock', TRUSTED)].map(({ path }) => path)
  t.equal(first, '/')
  t.ok(rest.includes(process.cwd()))
})

t.test('a link of /proc is judged by where it leads, and refused where its text is another place', async (t) => {
  const way = new Way(t)
  const folder = support.nodeFs.openSync(way.inner, 'r')
  t.teardown(() => support.nodeFs.closeSync(folder))
  const link = `/proc/self/fd/${folder}/registry.sock`
  t.equal(verdict(link), 'trusted', 'it leads where it says')
  t.equal(verdict(`/proc/self/root${way.socket}`), 'trusted')
  t.equal(verdict(support.nodePath.join(way.top, 'not/there')), 'trusted')
  support.nodeFs.chmodSync(way.outer, 0o777)
  t.equal(verdict(link), 'ERR_SECURITY', 'and then the folders above that count')
  support.nodeFs.chmodSync(way.outer, 0o755)

  support.nodeFs.renameSync(way.inner, support.nodePath.join(way.outer, 'elsewhere'))
  t.equal(verdict(link), 'trusted', 'the text moves with the folder')
  support.nodeFs.chmodSync(way.outer, 0o777)
  t.equal(verdict(link), 'ERR_SECURITY')
})

t.test(
  'a link to a folder that was removed, and made anew under its name, leads nowhere that could be judged',
  async (t) => {
    const way = new Way(t)
    support.nodeFs.mkdirSync(support.nodePath.join(way.outer, 'gone'))
    const folder = support.nodeFs.openSync(support.nodePath.join(way.outer, 'gone'), 'r')
    t.teardown(() => support.nodeFs.closeSync(folder))
    support.nodeFs.rmdirSync(support.nodePath.join(way.outer, 'gone'))
    support.nodeFs.mkdirSync(support.nodePath.join(way.outer, 'gone (deleted)'))
    const link = `/proc/self/fd/${folder}`
    t.throws(() => checkPathTrust('it', `${link}/registry.sock`, TRUSTED), {
      code: 'ERR_SECURITY',
      message: /does not lead to .*gone \(deleted\), as its text says/,
    })
  },
)

t.test('a way that was trusted a moment ago is looked at again when it leads elsewhere', { skip }, async (t) => {
  const folder = support.nodePath.dirname(support.newRegistryPath(t))
  support.nodeFs.chmodSync(folder, 0o1777)
  const [path, other] = [support.nodePath.join(folder, 'asked.sock'), support.nodePath.join(folder, 'other.sock')]
  for (const each of [path, other]) listenAt(t, each)
  const place = { path, trusted: TRUSTED } as Parameters<typeof openRegistry>[0]
  openRegistry(place).fd.close()
  support.nodeFs.unlinkSync(path)
  t.throws(() => openRegistry(place), { code: 'ENOENT' })
  support.nodeFs.symlinkSync(other, path)
  support.nodeFs.lchownSync(path, support.OTHER_UID, support.OTHER_UID)
  t.throws(() => openRegistry(place), { code: 'ERR_SECURITY' }, 'a link of a stranger to a registry of ours')
})

function listenAt(t: Test, path: string): void {
  const listener = native.socket(native.constants.SOCK_SEQPACKET)
  t.teardown(() => listener.close())
  native.bind(listener, path)
  native.listen(listener)
}

t.test('a link to a pipe leads to no path', async (t) => {
  const pipe = native.pipe()
  t.equal(verdict(`/proc/self/fd/${pipe[0].fd}`), 'ERR_SECURITY')
  for (const end of pipe) end.close()
})

t.test('a way that begins at the root of another process is judged by what is there, not here', { skip }, async (t) => {
  const way = new Way(t)
  const other = support.startCommand(
    [
      ...['unshare', '-m', 'sh', '-c'],
      `mount -t tmpfs -o mode=755 none ${way.outer} && mkdir -m 777 ${way.inner} && mkdir ${way.outer}/fine && echo there && read end`,
    ],
    {
      stdin: 'pipe',
    },
  )
  t.teardown(() => other.destroy())
  t.equal(await other.stdout.next(), 'there')
  const there = `/proc/${other.pid}/root`
  const error = { code: 'ERR_SECURITY', message: `${there}${way.inner} can be written to by everybody` }
  t.throws(() => checkPathTrust('it', `${there}${way.socket}`, TRUSTED), error)
  t.throws(() => checkPathTrust('it', `${there}/../..${way.socket}`, TRUSTED), error, 'above a root is the root')
  t.equal(verdict(way.socket), 'trusted', 'the folder of that name that is here')
  t.equal(verdict(`${there}${way.outer}/fine/registry.sock`), 'trusted')
  t.equal(verdict(`${there}/..${way.outer}/fine/registry.sock`), 'trusted', 'above a root is the root')
  t.throws(() => checkPathTrust('it', `/proc/${other.pid}/cwd/registry.sock`, TRUSTED), { code: 'ERR_SECURITY' })
})

t.test("in a user namespace the host's users count as root's where the path was said", async (t) => {
  const named = new TrustedUsers({ trustsOverflow: true, self: 1, overflow: 65534 })
  const notNamed = new TrustedUsers({ trustsOverflow: false, self: 1, overflow: 65534 })
  const machine = new TrustedUsers({ trustsOverflow: true, self: 1, overflow: null })
  t.strictSame(
    [named, notNamed, machine].map((trusted) => trusted.has(65534)),
    [true, false, false],
  )
  t.match(notNamed.because(65534), /--registry PATH or MEMSVC_REGISTRY/)
  t.match(machine.because(65534), /--registry-owner 65534/)
})
