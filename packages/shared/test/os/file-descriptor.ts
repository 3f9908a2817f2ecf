import { closeSync, fstatSync, openSync } from 'node:fs'
import { OwnedFd } from 'memfd-native'
import t from 'tap'
import { borrowFd, FileDescriptor, takeOwnedFd, wrapOwnedFd } from '../../src/os/file-descriptor.ts'
import { leakChecked, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const open = () => wrapOwnedFd(OwnedFd.adopt(openSync('/dev/null', 'r')))

t.test('a new FileDescriptor is not valid', async (t) => {
  const fd = new FileDescriptor()
  t.equal(fd.valid(), false)
  t.equal(fd.getInt(), -1)
  fd.close()
})

t.test('a wrapped descriptor is valid until it is closed, once', async (t) => {
  const fd = open()
  const number = fd.getInt()
  t.equal(fd.valid(), true)
  t.ok(fstatSync(number).isCharacterDevice())
  fd.close()
  t.equal(fd.valid(), false)
  t.equal(fd.getInt(), -1)

  const successor = openSync('/dev/null', 'r')
  t.equal(successor, number, 'the kernel gives the number to the next one')
  fd.close()
  t.ok(fstatSync(successor).isCharacterDevice(), 'closing again leaves it alone')
  closeSync(successor)
})

t.test('using closes it', async (t) => {
  const seen = (() => {
    using fd = open()
    return fd
  })()
  t.equal(seen.valid(), false)
})

t.test('a borrowed descriptor stays where it is', async (t) => {
  using fd = open()
  t.equal(borrowFd(fd).fd, fd.getInt())
  t.equal(fd.valid(), true)
})

t.test('a taken descriptor leaves an invalid object behind', async (t) => {
  const fd = open()
  const number = fd.getInt()
  using owned = takeOwnedFd(fd)
  t.equal(owned.fd, number)
  t.equal(fd.valid(), false)
  fd.close()
  t.equal(owned.isClosed, false)
})

t.test('nothing can be borrowed or taken from what is not valid', async (t) => {
  const closed = open()
  closed.close()
  for (const access of [borrowFd, takeOwnedFd]) {
    t.throws(() => access(closed), { code: 'EBADF', syscall: 'fcntl' })
    t.throws(() => access(new FileDescriptor()), { code: 'EBADF' })
    t.throws(() => Reflect.apply(access, null, [null]), { code: 'ERR_NULL_POINTER' })
    t.throws(() => Reflect.apply(access, null, [3]), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})
