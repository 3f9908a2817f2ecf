/** The commands of a store where they cannot do what they are asked: what each says, and ends with. */

import { IStore, ParcelFileDescriptor, ServiceManager } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const DONE = { code: 0, signal: null, stdout: '', stderr: '' }

watchdog(t)
leakChecked(t)

/** Each command, with what it needs. */
const COMMANDS = [
  ['get', 'k'],
  ['put', 'k', '1'],
  ['delete', 'k'],
  ['increment', 'k'],
  ['keys'],
  ['changes'],
  ['import', '/dev/null/x'],
  ['export'],
]

t.test('no registry, and no such store, are exit 3', async (t) => {
  const { registry } = await support.startMemsvc(t, { command: 'registry' })
  const none = `${registry}.none`
  const file = support.nodePath.join(support.newFolder(t), 'empty.json')
  support.nodeFs.writeFileSync(file, '{}')
  for (const [command = '', operand = ''] of COMMANDS) {
    const args = command === 'import' ? ['import', file] : [command, ...(operand === '' ? [] : [operand])]
    const line = command === 'put' ? [...args, '1'] : args
    t.match(await support.memclient(none, line), { code: 3, stdout: '', stderr: /no registry/ }, command)
    t.match(
      await support.memclient(registry, line),
      { code: 3, stdout: '', stderr: /no service "SharedStore"/ },
      command,
    )
  }
})

t.test('stdin is not waited for if there is no store', async (t) => {
  const { registry } = await support.startMemsvc(t, { command: 'registry' })
  const endless = support.nodeFs.openSync('/dev/zero', 'r')
  t.match(await support.memclient(registry, ['put', 'k'], { stdin: endless }), { code: 3 })
  support.nodeFs.closeSync(endless)
})

t.test('wrong arguments are exit 2', async (t) => {
  const { registry } = await support.startStore(t)
  for (const args of [
    ['get', ''],
    ['get', 'k'.repeat(513)],
    ['get', 'a\tb'],
    ['put', '', '1'],
    ['put', 'k', '1', '--if-version', '-1'],
    ['put', 'k', '1', '--if-version', 'x'],
    ['put', 'k', '1', '--if-version', '9223372036854775808'],
    ['put', 'k', '1', '--ttl', '0'],
    ['put', 'k', '1', '--ttl', '-1'],
    ['put', 'k', '1', '--ttl', '1s'],
    ['delete', ''],
    ['delete', 'k', '--if-version', '1.5'],
    ['increment', 'k', 'x'],
    ['increment', 'k', '1e999'],
    ['increment', 'k', ''],
    ['changes', '--count', '0'],
    ['changes', '--count', 'x'],
    ['keys', 'a', 'b'],
    ['get', 'k', '--timeout', '0'],
    ['export', '--output', ''],
    ['put', 'k', '--file', ''],
    ['import', ''],
  ]) {
    t.match(
      await support.memclient(registry, args),
      { code: 2, stdout: '', stderr: /^memclient: .+$/ },
      args.join(' ').slice(0, 40),
    )
  }
})

t.test('a user who may not write gets exit 4', async (t) => {
  const { registry, store } = await support.startStore(t, { mayWrite: (_caller, key) => key === 'open' })
  store.set('k', 1)
  for (const args of [
    ['put', 'k', '2'],
    ['delete', 'k'],
    ['increment', 'k'],
  ]) {
    t.match(await support.memclient(registry, args), { code: 4, stdout: '', stderr: /may not write/ }, args.join(' '))
  }
  t.equal(store.get('k'), 1)
  t.same(await support.memclient(registry, ['put', 'open', '1']), DONE)
})

t.test(
  'another user reads, and a key that is hidden from that user does not exist',
  { skip: otherUserProblem(support.MEMCLIENT) },
  async (t) => {
    const args = ['--socket-mode', '666']
    const { registry } = await support.startMemsvc(t, {
      command: 'registry',
      args,
      registry: newRegistryPath(t, support.OPEN_DIRECTORY),
    })
    const { store } = await support.startStore(t, {
      registry,
      areas: [{ keys: ['secret/*'], mayRead: ({ uid }) => uid !== OTHER_UID }, { keys: ['*'] }],
    })
    store.set('secret/a', 1)
    store.set('k', 2)
    const as = { uid: OTHER_UID }
    t.same(await support.memclient(registry, ['get', 'k'], as), { ...DONE, stdout: '2' })
    t.match(await support.memclient(registry, ['get', 'secret/a'], as), { code: 3 })
    t.same(await support.memclient(registry, ['keys'], as), { ...DONE, stdout: 'k' })
    t.match(await support.memclient(registry, ['put', 'k', '3'], as), { code: 4 })
    t.same(await support.memclient(registry, ['get', 'secret/a']), { ...DONE, stdout: '1' })
  },
)

t.test('a limit is exit 5', async (t) => {
  const { registry } = await support.startStore(t, { maxValueBytes: 10 })
  t.match(await support.memclient(registry, ['put', 'k', 'longer than that']), { code: 5, stderr: /limit/ })
})

t.test('an input without an end is refused when it is more than the owner takes', async (t) => {
  const { registry } = await support.startStore(t)
  const endless = support.nodeFs.openSync('/dev/zero', 'r')
  for (const options of [[], ['--bytes']]) {
    const ending = await support.memclient(registry, ['put', 'k', ...options], { stdin: endless })
    t.match(ending, { code: 5, stdout: '', stderr: /limit of .* bytes of a value/ })
  }
  support.nodeFs.closeSync(endless)
})

class MuteStore extends IStore.Stub {
  open = support.never
}

t.test('a store that its owner has closed is exit 5: there may be another one soon', async (t) => {
  const { registry, store } = await support.startStore(t)
  store.close()
  const file = support.nodePath.join(support.newFolder(t), 'two.json')
  support.nodeFs.writeFileSync(file, '{"a": 1, "b": 2}')
  const large = support.nodePath.join(support.newFolder(t), 'large')
  support.nodeFs.writeFileSync(large, Buffer.alloc(100_000))
  const withFiles = [
    ['import', file],
    ['put', 'k', '--bytes', '--file', large],
  ]
  for (const command of [...COMMANDS.filter(([name]) => name !== 'import'), ...withFiles]) {
    const ended = await support.memclient(registry, command)
    t.match(ended, { code: 5, stdout: '', stderr: /was closed by its owner/ }, command.join(' '))
  }
})

t.test('a service that answers nothing is given up after --timeout', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const manager = await ServiceManager.connect({ path: registry })
  t.teardown(() => manager.close())
  await manager.addService('mute', new MuteStore())
  const ending = await support.memclient(registry, ['keys', '--store', 'mute', '--timeout', '0.3'])
  t.match(ending, { code: 5, stderr: /mute has not answered for 0\.3 s/ })
})

t.test('a service that is no store is said to be none', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const args of [['get', 'k'], ['put', 'k', '1'], ['keys'], ['changes']]) {
    const ending = await support.memclient(registry, [...args, '--store', 'AnonymousSharedMemory'])
    t.match(ending, { code: 1, stdout: '', stderr: /AnonymousSharedMemory is not a store, but shy/ }, args.join(' '))
  }
})

t.test('a service that is no value is said to be none', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const args of [['read'], ['write', '1'], ['info'], ['watch']]) {
    const ending = await support.memclient(registry, [...args, 'SharedStore'])
    t.match(ending, { code: 1, stdout: '', stderr: /SharedStore is not a value, but memsvc\.IStore/ }, args.join(' '))
  }
})

t.test('a full disk is exit 1 and said; a reader that has gone is the end, silently', async (t) => {
  const { registry, store } = await support.startStore(t)
  store.set('k', 1)
  store.set('bytes', Buffer.alloc(100_000))
  const full = support.nodeFs.openSync('/dev/full', 'w')
  const [source, sink] = ParcelFileDescriptor.createPipe()
  source.close()
  for (const args of [['get', 'k'], ['get', 'bytes'], ['increment', 'k'], ['keys'], ['export']]) {
    const told = await support.memclient(registry, args, { stdout: full })
    t.match(told, { code: 1, stderr: /^memclient: cannot write to stdout: ENOSPC/ }, args.join(' '))
    t.match(await support.memclient(registry, args, { stdout: sink.getFd() }), { code: 0, stderr: '' }, args.join(' '))
  }
  t.match(await support.memclient(registry, ['get', 'k', '--output', '/dev/full']), {
    code: 1,
    stderr: /cannot write to \/dev\/full: ENOSPC/,
  })
  support.nodeFs.closeSync(full)
  sink.close()
})

t.test('with --json an error is an object', async (t) => {
  const { registry, store } = await support.startStore(t)
  const version = store.set('k', 1)
  const errors: [args: string[], expected: object][] = [
    [['get', 'none'], { code: 'ERR_NO_SUCH_ELEMENT', exitCode: 3 }],
    [['put', 'k', '2', '--if-version', '0'], { code: 'ERR_CONFLICT', exitCode: 6, key: 'k', version: Number(version) }],
    [['put', 'k', '2', '--ttl', '0'], { code: 'ERR_INVALID_ARG_VALUE', exitCode: 2 }],
    [['put'], { code: 'ERR_INVALID_ARG_VALUE', exitCode: 2 }],
    [['get', 'k', '--store', 'none'], { code: 'ERR_SERVICE_NOT_FOUND', exitCode: 3 }],
    [['get', 'k', '--output', '/dev/full'], { code: 'ENOSPC', exitCode: 1 }],
  ]
  for (const [args, expected] of errors) {
    const { code, stderr } = await support.memclient(registry, [...args, '--json'])
    const told = JSON.parse(stderr)
    t.match(told, { ...expected, message: /./, name: undefined }, args.join(' '))
    t.equal(code, told.exitCode)
  }
})
