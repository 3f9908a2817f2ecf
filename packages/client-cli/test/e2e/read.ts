/** `memclient read`: the value comes from the mapping, and nothing is loaded that it does not need. */

import { MemoryFile, ParcelFileDescriptor, SecurityError } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog, wire } from '@memsvc/shared/test-support'
import * as native from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { DESCRIPTOR, FAILURE, message, packet, REPLY } = wire

watchdog(t)
leakChecked(t)

t.test('the value is 0 at first', async (t) => {
  const { registry } = await support.startMemsvc(t)
  t.match(await support.memclient(registry, ['read']), { code: 0, stdout: '0', stderr: '' })
  t.match(await support.memclient(registry, ['read', '--json']), {
    code: 0,
    stdout: '{"name":"AnonymousSharedMemory","value":0}',
    stderr: '',
  })
})

t.test('a service may have another name', async (t) => {
  const { registry } = await support.startMemsvc(t, { args: ['--name', 'a/b.c-d_E'] })
  t.match(await support.memclient(registry, ['read', 'a/b.c-d_E', '--json']), {
    code: 0,
    stdout: '{"name":"a/b.c-d_E","value":0}',
  })
  t.match(await support.memclient(registry, ['read']), {
    code: 3,
    stdout: '',
    stderr: /no service "AnonymousSharedMemory" at \//,
  })
})

t.test('names that cannot be are names of no service', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const name of ['', 'a b', 'ü', '__proto__', 'x'.repeat(128), '\u001b[31m']) {
    t.match(await support.memclient(registry, ['read', name]), {
      code: 3,
      stdout: '',
      stderr: /^memclient: no service ".*" at /,
    })
  }
})

t.test('the value is not asked of the service: one that answers nothing but its descriptor is read', async (t) => {
  const { registry } = await support.startMemsvc(t)
  using file = new MemoryFile('own', 4)
  file.writeInt32BE(0, -2147483648)
  await support.publish(t, registry, 'own', { getFileDescriptor: () => file.shareReadOnly(), setValue: support.never })
  t.match(await support.memclient(registry, ['read', 'own']), { code: 0, stdout: '-2147483648' })
})

t.test('a region that others may write is read all the same', async (t) => {
  const { registry } = await support.startMemsvc(t)
  using file = new MemoryFile('own', 4)
  file.writeInt32BE(0, 7)
  await support.publish(t, registry, 'own', { getFileDescriptor: () => file.getParcelFileDescriptor() })
  t.match(await support.memclient(registry, ['read', 'own']), { code: 0, stdout: '7' })
})

t.test(
  'another user reads if the socket admits that user',
  { skip: otherUserProblem(support.MEMCLIENT) },
  async (t) => {
    const { registry } = await support.startMemsvc(t, {
      args: ['--socket-mode', '666'],
      registry: newRegistryPath(t, support.OPEN_DIRECTORY),
    })
    t.match(await support.memclient(registry, ['read'], { uid: OTHER_UID }), { code: 0, stdout: '0', stderr: '' })
  },
)

t.test('another user is told where it does not', { skip: otherUserProblem(support.MEMCLIENT) }, async (t) => {
  const { registry } = await support.startMemsvc(t, { registry: newRegistryPath(t, support.OPEN_DIRECTORY) })
  t.match(await support.memclient(registry, ['read'], { uid: OTHER_UID }), {
    code: 4,
    stdout: '',
    stderr: /closed to this user/,
  })
})

t.test('a read that succeeds loads neither commander nor the library', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const args of [['read'], ['read', '--json', 'AnonymousSharedMemory'], ['read', '--registry', registry]]) {
    t.strictSame(await loadedFiles(t, registry, args), { code: 0, files: ['memclient.cjs', 'quick-read.cjs'] })
  }
})

t.test('the library does what is not as on every day', async (t) => {
  const { registry } = await support.startMemsvc(t)
  using file = new MemoryFile('own', 4)
  file.writeInt32BE(0, 7)
  const [socket, other] = ParcelFileDescriptor.createSocketPair()
  t.teardown(() => [socket, other].map((end) => end.close()))
  const services: [name: string, code: number, behaviour: support.Behaviour][] = [
    ['none', 3, {}],
    ['no-region', 1, { getFileDescriptor: () => socket.dup() }],
    ['throws', 4, { getFileDescriptor: () => Promise.reject(new SecurityError('not for you')) }],
    ['reliable', 0, { getFileDescriptor: () => reliable(file) }],
  ]
  for (const [name, code, behaviour] of services) {
    await support.publish(t, registry, name, behaviour)
    t.strictSame(await loadedFiles(t, registry, ['read', name]), { code, files: ALL_FILES }, name)
  }
  for (const [name, code] of [
    ['unknown', 3],
    ['a b', 3],
    ['x'.repeat(128), 3],
  ] as const) {
    t.strictSame(await loadedFiles(t, registry, ['read', name]), { code, files: ALL_FILES }, name.slice(0, 20))
  }
  t.match(await support.memclient(registry, ['read', 'reliable']), { code: 0, stdout: '7', stderr: '' })
})

t.test('the quick read leaves nothing open when it gives up', async (t) => {
  const { registry } = await support.startMemsvc(t)
  await support.publish(t, registry, 'no-region', { getFileDescriptor: () => null })
  for (const args of [
    ['read', 'unknown', '--registry', registry],
    ['read', 'no-region', '--registry', registry],
    ['read', '--registry', `${registry}.none`],
    ['read', '--registry', '/'.repeat(200)],
    ['read', '--nonsense'],
    ['read', 'a', 'b'],
    ['read', 'a b', '--registry', registry],
  ]) {
    t.equal(await support.tryRead(args), false, args.join(' ').slice(0, 40))
  }
})

t.test('a channel that blocks and is full is declined', async (t) => {
  const path = newRegistryPath(t)
  using listener = listenAt(path)
  const asked = support.tryRead(['read', '--registry', path])
  using connection = native.accept(listener)
  const [full, other] = native.socketpair(native.constants.SOCK_SEQPACKET)
  t.throws(() => {
    for (;;) native.sendmsg(full, Buffer.alloc(10_000))
  }, /EAGAIN/)
  native.setNonBlocking(full, false)
  const words = Buffer.alloc(44)
  for (const [i, word] of [0, 2, 0, 0, 0, DESCRIPTOR].entries()) words.writeInt32LE(word, 4 * i)
  const table = Buffer.alloc(4)
  table.writeUInt32LE(20, 0)
  const reply = message(
    { kind: REPLY, id: 1, dataSize: 44, objectCount: 1, descriptorCount: 1 },
    Buffer.concat([words, table]),
  )
  if (connection !== null) native.sendmsg(connection, reply, [full])
  t.equal(await asked, false)
  full.close()
  other.close()
})

t.test('a registry that answers nonsense, or nothing, is declined', async (t) => {
  const nonsense = [
    Buffer.alloc(0),
    Buffer.alloc(31),
    Buffer.alloc(64, 0xff),
    message({ kind: REPLY, id: 1 }, Buffer.alloc(4)),
    message({ kind: REPLY, id: 1, descriptorCount: 1 }, Buffer.alloc(44)),
    message({ kind: REPLY, id: 2 }, Buffer.alloc(44)),
    message({ kind: FAILURE, id: 1, code: 4 }, Buffer.alloc(44)),
    packet(message({ kind: REPLY, id: 1 }, Buffer.alloc(44)), message({ kind: REPLY, id: 1 }, Buffer.alloc(44))),
    message({ kind: REPLY, id: 1 }, Buffer.alloc(60_000)),
    null,
  ]
  for (const answer of nonsense) {
    const path = newRegistryPath(t)
    using listener = listenAt(path)
    const asked = support.tryRead(['read', '--registry', path])
    using connection = native.accept(listener)
    t.ok(connection)
    if (connection !== null && answer !== null) native.sendmsg(connection, answer)
    t.equal(await asked, false, answer === null ? 'nothing' : `${answer.length} bytes`)
  }
})

const ALL_FILES = ['memclient.cjs', 'quick-read.cjs', 'memclient.cjs']

/** How a command ends, and the scripts that it loads, as V8 counts them. */
async function loadedFiles(
  t: Test,
  registry: string,
  args: string[],
): Promise<{ code: number | null; files: string[] }> {
  const directory = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memclient-'))
  t.teardown(() => support.nodeFs.rmSync(directory, { recursive: true }))
  const { code } = await support.memclient(registry, args, { env: { NODE_V8_COVERAGE: directory } })
  const reports = support.nodeFs
    .readdirSync(directory)
    .map((file) => support.nodeFs.readFileSync(support.nodePath.join(directory, file), 'utf8'))
  const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result)
  return {
    code,
    files: urls.filter(({ url }) => url.startsWith('file:')).map(({ url }) => support.nodePath.basename(url)),
  }
}

function listenAt(path: string): native.OwnedFd {
  const listener = native.socket(native.constants.SOCK_SEQPACKET)
  native.bind(listener, path)
  native.listen(listener)
  return listener
}

/** With a status channel: two descriptors where mostly is one. */
function reliable(file: MemoryFile): ParcelFileDescriptor {
  return ParcelFileDescriptor.wrap(file.getParcelFileDescriptor(), () => undefined)
}

t.test('--wait waits for a daemon that is not there yet, with its registry or without', async (t) => {
  const registry = newRegistryPath(t)
  const early = support.startMemclient(t, registry, ['read', '--wait', '--json'])
  await support.startMemsvc(t, { registry, command: 'registry' })
  const late = support.startMemclient(t, registry, ['--wait=60', 'read'])
  await support.startMemsvc(t, { registry })
  t.match(await early.ending, { code: 0, stdout: '{"name":"AnonymousSharedMemory","value":0}', stderr: '' })
  t.match(await late.ending, { code: 0, stdout: '0', stderr: '' })
})

t.test('--wait ends with exit 5 after its seconds', async (t) => {
  const none = newRegistryPath(t)
  t.match(await support.memclient(none, ['read', '--wait', '0.2']), {
    code: 5,
    stderr: /the registry has not come for 0\.2 s/,
  })
  const { registry } = await support.startMemsvc(t, { command: 'registry' })
  t.match(await support.memclient(registry, ['read', 'own', '--wait', '0.2']), {
    code: 5,
    stderr: /own has not come for 0\.2 s/,
  })
  t.match(await support.memclient(registry, ['read', '--wait=x']), { code: 2, stderr: /--wait must be/ })
})
