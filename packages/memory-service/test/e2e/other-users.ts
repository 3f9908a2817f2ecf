/** What another user of the machine can do, and what not even a process of the same user can. All of it needs root. */

import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import { bind, constants, fchmod, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const ATTACK_PROCESS = support.nodeFs.readFileSync(
  new URL('../../../test-support/fixtures/attack-process.py', import.meta.url),
  'utf8',
)
/** Others may pass through it, not list it. */
const OPEN_DIRECTORY = 0o711
const THIRD_UID = 65533

const skip = otherUserProblem(support.MEMSVC)

watchdog(t)
leakChecked(t)

/** What this machine calls OTHER_UID, or the group of that number. */
function nameOf(database: 'passwd' | 'group'): string {
  return (
    support.nodeChildProcess
      .spawnSync('getent', [database, String(OTHER_UID)], { encoding: 'utf8' })
      .stdout.split(':')[0] ?? ''
  )
}

async function startOpen(t: Test, ...args: string[]): Promise<string> {
  const registry = newRegistryPath(t, OPEN_DIRECTORY)
  await support.startMemsvc(t, { registry, args: ['--socket-mode', '666', ...args] })
  return registry
}

t.test('by default nobody else gets in: not past the directory, nor past the socket', { skip }, async (t) => {
  for (const mode of [0o700, OPEN_DIRECTORY]) {
    const registry = newRegistryPath(t, mode)
    await support.startMemsvc(t, { registry })
    t.match(await support.callAs(OTHER_UID, registry, 'read'), { code: 'ERR_SECURITY' })
    t.match(await support.memsvc(registry, ['list'], { uid: OTHER_UID }), { code: 4, stdout: '' })
  }
})

t.test('with --socket-mode 666 another user reads, and does nothing else', { skip }, async (t) => {
  const registry = await startOpen(t)
  const value = await support.openValue(t, registry)
  await value.set(42)
  t.strictSame(await support.callAs(OTHER_UID, registry, 'list'), { ok: support.OWN_NAMES })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'read'), { ok: 42 })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'write', '7'), {
    code: 'ERR_SECURITY',
    message: `uid ${OTHER_UID} may read this value but not set it`,
  })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'add', 'mine'), {
    code: 'ERR_SECURITY',
    message: `uid ${OTHER_UID} may not add "mine" here`,
  })
  t.match(
    await support.callAs(OTHER_UID, registry, 'add', 'no name'),
    { code: 'ERR_SECURITY' },
    'before the name is looked at',
  )
  t.match(await support.callAs(OTHER_UID, registry, 'addNull', 'mine'), { code: 'ERR_SECURITY' }, 'and the binder')
  t.strictSame(await support.callAs(OTHER_UID, registry, 'stop'), {
    code: 'ERR_SECURITY',
    message: `uid ${OTHER_UID} may not stop this daemon`,
  })
  t.equal(value.get(), 42)
  t.strictSame(await (await support.connect(t, registry)).listServices(), support.OWN_NAMES)
})

t.test('top shows another user what that user may see, and makes nothing up', { skip }, async (t) => {
  const registry = await startOpen(t)
  const { code, stdout } = await support.memsvc(registry, ['top', '--count', '1'], { uid: OTHER_UID })
  t.equal(code, 0)
  t.match(stdout, /^memsvc {2}AnonymousSharedMemory {2}pid \d+\n\nvalue 0\n/)
  t.match(stdout, /Only the daemon's user and root can see more/)
  t.notMatch(stdout, /up |held now|total/)
  t.match(
    (await support.memsvc(registry, ['top', '--count', '1'])).stdout,
    /^memsvc \S+ .* {2}up \d+ s\n(.*\n)*held now: /,
  )
})

for (const writer of [String(OTHER_UID), nameOf('passwd'), `@${nameOf('group')}`]) {
  t.test(`with --writers ${writer} the other user may write, and a third one may not`, { skip }, async (t) => {
    const registry = await startOpen(t, '--writers', writer)
    t.strictSame(await support.callAs(OTHER_UID, registry, 'write', '-1'), { ok: null })
    t.strictSame(await support.callAs(OTHER_UID, registry, 'read'), { ok: -1 })
    t.match(await support.callAs(THIRD_UID, registry, 'write', '7'), { code: 'ERR_SECURITY' })
    t.strictSame(await support.callAs(THIRD_UID, registry, 'read'), { ok: -1 })
    t.match(await support.callAs(OTHER_UID, registry, 'stop'), { code: 'ERR_SECURITY' }, 'but may not stop it')
  })
}

t.test('another user cannot start a daemon at our registry', { skip }, async (t) => {
  const registry = await startOpen(t)
  const { code, stderr } = await support.memsvc(registry, ['start', '--name', 'his'], { uid: OTHER_UID })
  t.equal(code, 4, stderr)
  t.strictSame(await (await support.connect(t, registry)).listServices(), support.OWN_NAMES)
})

t.test('root may do everything at a daemon of another user', { skip }, async (t) => {
  const { registry, program } = await support.startMemsvcOfOtherUser(t)
  const value = await support.openValue(t, registry)
  await value.set(42)
  t.equal(value.get(), 42)
  const { program: roots } = await support.startMemsvc(t, {
    registry,
    args: ['--name', 'of-root', '--registry-owner', String(OTHER_UID)],
  })
  t.strictSame(await (await support.connect(t, registry)).listServices(), [...support.OWN_NAMES, 'of-root'])
  t.match(await support.memsvc(registry, ['stop']), { code: 0 })
  t.match(await program.ending, { code: 0 })
  t.ok(roots.pid)
})

t.test('a process of the same user gets neither into the daemon nor at its descriptors', { skip }, async (t) => {
  const { program } = await support.startMemsvcOfOtherUser(t)
  const { stdout, stderr } = support.nodeChildProcess.spawnSync(
    'python3',
    ['-c', ATTACK_PROCESS, String(program.pid)],
    {
      uid: OTHER_UID,
      gid: OTHER_UID,
      cwd: '/',
      encoding: 'utf8',
    },
  )
  t.equal(stderr, '')
  t.strictSame(JSON.parse(stdout), {
    'open its memory': 'EACCES',
    'write its memory': 'EPERM',
    'trace it': 'EPERM',
    'open a descriptor of it': 'EACCES',
    'list its descriptors': 'EACCES',
    'take a descriptor of it': 'EPERM',
    'read its environment': 'EACCES',
    'read its mappings': 'EACCES',
  })
})

const LEFTOVERS: [title: string, leave: (folder: string, registry: string) => unknown, says: RegExp][] = [
  [
    'a lock file',
    (_, registry) => support.nodeFs.writeFileSync(`${registry}.lock`, '1\n', { mode: 0o600 }),
    /registry\.sock\.lock belongs to root, .*rm/,
  ],
  [
    'a closed socket',
    (_, registry) => leaveSocket(registry),
    /registry\.sock belongs to root and is closed to uid 65534.*rm/,
  ],
  ['the folder', (folder) => support.nodeFs.chownSync(folder, 0, 0), /memsvc-[^/]* belongs to root/],
]
for (const [title, leave, says] of LEFTOVERS) {
  t.test(`${title} that root has left in his folder is named, with whose it is and what to do`, { skip }, async (t) => {
    const registry = newRegistryPath(t)
    support.nodeFs.chownSync(support.nodePath.dirname(registry), OTHER_UID, OTHER_UID)
    leave(support.nodePath.dirname(registry), registry)
    if (title === 'the folder') support.nodeFs.chmodSync(support.nodePath.dirname(registry), 0o755)
    const { code, stderr } = await support.memsvc(registry, ['start'], { uid: OTHER_UID })
    t.equal(code, 4)
    t.match(stderr.split('\n').at(-1), says)
  })
}

function leaveSocket(path: string): void {
  using dead = socket(constants.SOCK_SEQPACKET)
  fchmod(dead, 0o600)
  bind(dead, path)
}
