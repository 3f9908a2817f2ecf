import t, { type Test } from 'tap'
import { ParcelFileDescriptor } from '../../src/index.ts'
import { leakChecked, nodeEvents, nodeFs, nodeNet, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** Where to listen: TCP at a free port, or an abstract Unix address (no file, no limit by the length of a path). */
const addresses = { TCP: { host: '127.0.0.1', port: 0 }, Unix: { path: `\0memsvc-test-${process.pid}` } }

/** Both ends of a connection, gone with the test. */
async function connection(
  t: Test,
  kind: keyof typeof addresses,
): Promise<{ near: nodeNet.Socket; far: nodeNet.Socket }> {
  const server = nodeNet.createServer().listen(addresses[kind])
  await nodeEvents.once(server, 'listening')
  const bound = server.address()
  const near = new nodeNet.Socket()
  const accepted = nodeEvents.once(server, 'connection')
  near.connect(typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : addresses.Unix)
  const [[far]] = await Promise.all([accepted, nodeEvents.once(near, 'connect')])
  const serverClosed = nodeEvents.once(server.close(), 'close')
  t.teardown(async () => {
    for (const end of [near, far]) end.destroy()
    await serverClosed
  })
  return { near, far }
}

for (const kind of ['TCP', 'Unix'] as const) {
  t.test(`fromSocket dups the descriptor of a ${kind} socket, which stays Node's`, async (t) => {
    const { near, far } = await connection(t, kind)
    using first = ParcelFileDescriptor.fromSocket(near)
    using second = ParcelFileDescriptor.fromSocket(near)
    t.match(nodeFs.readlinkSync(`/proc/self/fd/${first.getFd()}`), /^socket:/)
    t.not(first.getFd(), second.getFd())
    t.equal(nodeFs.fstatSync(first.getFd()).ino, nodeFs.fstatSync(second.getFd()).ino)

    first.close()
    near.write('still works')
    const [bytes] = await nodeEvents.once(far, 'data')
    t.equal(String(bytes), 'still works')

    near.destroy()
    t.equal(second.getFileDescriptor().valid(), true)
    t.ok(nodeFs.fstatSync(second.getFd()).isSocket(), 'and the dup outlives the socket')
  })
}

t.test('a socket without a descriptor is refused', async (t) => {
  const fresh = new nodeNet.Socket()
  t.throws(() => ParcelFileDescriptor.fromSocket(fresh), { code: 'ERR_ILLEGAL_STATE', message: /no descriptor/ })
  const { near } = await connection(t, 'TCP')
  near.destroy()
  t.throws(() => ParcelFileDescriptor.fromSocket(near), { code: 'ERR_ILLEGAL_STATE' })
})

t.test('a descriptor that is not a socket is refused', async (t) => {
  const { fromSocket } = ParcelFileDescriptor
  t.throws(() => Reflect.apply(fromSocket, null, [null]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(fromSocket, null, [{ _handle: { fd: 0 } }]), { code: 'ERR_INVALID_ARG_TYPE' })
})
