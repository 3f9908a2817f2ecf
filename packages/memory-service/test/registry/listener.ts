import { findRegistry } from '@memsvc/shared/internal'
import { leakChecked, newRegistryPath } from '@memsvc/shared/test-support'
import { accept, bind, connect, constants, listen, socket } from 'memfd-native'
import t from 'tap'
import { HostLock, nodeFs, nodePath } from '../../test-support/index.ts'

const PRIVATE = 0o600

leakChecked(t)

/** The lock, which must be free. */
function take(path: string): HostLock {
  const lock = HostLock.tryTake(findRegistry({ path }))
  if (lock === null) throw new Error(`the lock of ${path} is taken`)
  return lock
}

function permissions(path: string): number {
  return nodeFs.lstatSync(path).mode & 0o7777
}

t.test('a process has the lock until it closes it', async (t) => {
  const path = newRegistryPath(t)
  const lock = take(path)
  t.equal(HostLock.tryTake(findRegistry({ path })), null)
  lock.close()
  lock.close()
  take(path).close()
})

t.test('the lock file is private, has our pid in it, and stays', async (t) => {
  const path = newRegistryPath(t)
  take(path).close()
  t.equal(permissions(`${path}.lock`), PRIVATE)
  t.equal(nodeFs.readFileSync(`${path}.lock`, 'utf8'), `${process.pid}\n`)
})

t.test('directories that are missing are made, and private', async (t) => {
  const outer = nodePath.join(nodePath.dirname(newRegistryPath(t)), 'outer')
  take(nodePath.join(outer, 'inner', 'registry.sock')).close()
  t.equal(permissions(outer), 0o700)
  t.equal(permissions(nodePath.join(outer, 'inner')), 0o700)
})

t.test('the listener takes connections, with the mode that was asked for', async (t) => {
  for (const mode of [0o600, 0o660, 0o666]) {
    const path = newRegistryPath(t)
    const lock = take(path)
    using listener = lock.listen(mode)
    t.equal(permissions(path), mode)
    using client = socket(constants.SOCK_SEQPACKET)
    connect(client, path)
    using server = accept(listener)
    t.ok(server)
    lock.close()
    t.notOk(nodeFs.existsSync(path), 'closing the lock removes the socket')
  }
})

t.test('a socket that a dead process left is replaced', async (t) => {
  const path = newRegistryPath(t)
  const dead = socket(constants.SOCK_SEQPACKET)
  bind(dead, path)
  listen(dead)
  dead.close()
  using client = socket(constants.SOCK_SEQPACKET)
  t.throws(() => connect(client, path), { code: 'ECONNREFUSED' })
  const lock = take(path)
  using listener = lock.listen(PRIVATE)
  connect(client, path)
  using server = accept(listener)
  t.ok(server)
  lock.close()
})

t.test('a socket that is served without a lock keeps the lock from being had', async (t) => {
  const path = newRegistryPath(t)
  {
    using inherited = socket(constants.SOCK_SEQPACKET)
    bind(inherited, path)
    listen(inherited)
    t.equal(HostLock.tryTake(findRegistry({ path })), null)
    t.equal(HostLock.tryTake(findRegistry({ path })), null, 'and the lock was given back')
  }
  take(path).close()
})

t.test('a queue that is full belongs to somebody who listens', async (t) => {
  const path = newRegistryPath(t)
  using busy = socket(constants.SOCK_SEQPACKET)
  bind(busy, path)
  listen(busy, 0)
  using waiting = socket(constants.SOCK_SEQPACKET)
  connect(waiting, path)
  t.equal(HostLock.tryTake(findRegistry({ path })), null)
})

t.test("a socket of another program's is an error, not a registry", async (t) => {
  const path = newRegistryPath(t)
  using other = socket(constants.SOCK_STREAM)
  bind(other, path)
  listen(other)
  t.throws(() => HostLock.tryTake(findRegistry({ path })), { code: 'ERR_ILLEGAL_STATE' })
})

t.test('a file that is not a socket is not removed, and the lock is free again', async (t) => {
  const path = newRegistryPath(t)
  const lock = take(path)
  nodeFs.mkdirSync(path)
  t.throws(() => lock.listen(PRIVATE), { code: 'ERR_ILLEGAL_STATE' })
  lock.close()
  t.ok(nodeFs.statSync(path).isDirectory())
  nodeFs.rmdirSync(path)
  take(path).close()
})

t.test('beside a file that is not a socket there is no lock file: it may be the one of somebody else', async (t) => {
  const path = newRegistryPath(t)
  nodeFs.writeFileSync(path, 'precious')
  t.throws(() => HostLock.tryTake(findRegistry({ path })), { code: 'ERR_ILLEGAL_STATE', message: /is not a socket/ })
  nodeFs.unlinkSync(path)
  using other = socket(constants.SOCK_STREAM)
  bind(other, path)
  listen(other)
  t.throws(() => HostLock.tryTake(findRegistry({ path })), { code: 'ERR_ILLEGAL_STATE', message: /another program/ })
  t.notOk(nodeFs.existsSync(`${path}.lock`))
})

t.test('closing the lock leaves a socket alone that has taken the place of ours', async (t) => {
  const path = newRegistryPath(t)
  const lock = take(path)
  using listener = lock.listen(PRIVATE)
  nodeFs.unlinkSync(path)
  using other = socket(constants.SOCK_SEQPACKET)
  bind(other, path)
  lock.close()
  t.ok(nodeFs.lstatSync(path).isSocket())
  t.ok(listener.fd)
})

t.test('a directory that is a file is an error', async (t) => {
  const file = newRegistryPath(t)
  nodeFs.writeFileSync(file, '')
  t.throws(() => HostLock.tryTake(findRegistry({ path: nodePath.join(file, 'registry.sock') })), { code: 'EEXIST' })
})
