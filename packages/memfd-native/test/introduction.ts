/** What console.log shows of an object, and that no other thread gets an empty copy of it. */
import { inspect } from 'node:util'
import t from 'tap'
import * as native from '../src/index.ts'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const mayMark = major > 22 || (major === 22 && minor >= 10)

t.test('an object is its class and what is told of it, in one line', async (t) => {
  class Thing {
    [native.inspected](): string {
      return native.introduce(this, {
        name: 'it\'s\n"so"',
        size: 3,
        large: 5n,
        on: true,
        none: null,
        absent: undefined,
      })
    }
  }
  t.equal(inspect(new Thing()), `Thing { name: 'it\\'s\\n"so"', size: 3, large: 5n, on: true, none: null }`)
  t.match(inspect([new (class Other extends Thing {})()]), /\bOther \{/)
  t.equal(native.introduce(Object.create(null), {}), 'object {  }')
  t.match(native.introduce({}, { name: 'x'.repeat(100) }), `'${'x'.repeat(60)}...'`)
})

t.test('a descriptor, a mapping and the hub say their state, also when it has ended', async (t) => {
  const fd = native.memfdCreate('introduced')
  native.ftruncate(fd, native.mmap.PAGESIZE)
  const mapping = native.Mapping.map(fd, native.mmap.PAGESIZE, native.mmap.PROT_READ, native.mmap.MAP_SHARED)
  t.equal(inspect(fd), `OwnedFd { fd: ${fd.fd}, state: 'open' }`)
  t.equal(inspect(mapping), `Mapping { length: ${native.mmap.PAGESIZE}, writable: false, state: 'mapped' }`)
  mapping.unmap()
  fd.close()
  t.equal(inspect(fd), "OwnedFd { fd: -1, state: 'closed' }")
  t.match(inspect(mapping), /length: 0, .*'unmapped'/)
  t.match(inspect(native.Hub.current()), /^Hub \{ references: \d+ \}$/)
})

t.test('a stream says which one it is, and not all that a stream is made of', async (t) => {
  const [a, b] = native.socketpair(native.constants.SOCK_STREAM)
  const numbers = [a.fd, b.fd]
  const stream = native.unixStream(a)
  const socket = new native.USocket({ fd: b.release() })
  t.equal(inspect(stream), `UnixStream { fd: ${numbers[0]}, state: 'open' }`)
  t.match(inspect(socket), /^USocket \{ fd: \d+, state: 'open' \}$/)
  t.throws(() => structuredClone(stream))
  t.equal(inspect(new native.USocket()), "USocket { state: 'open' }")
  for (const each of [stream, socket]) {
    each.destroy()
    t.match(inspect(each), /^\w+ \{ fd: -1, state: 'closed' \}$/)
  }
})

t.test('a value that is not an object cannot be introduced', async (t) => {
  for (const wrong of [null, undefined, 5, 'text']) {
    t.throws(() => native.introduce(wrong as never, {}), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => native.introduce({}, wrong as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => native.keepFromCloning(wrong as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('it is not cloned', { skip: mayMark ? false : 'Node cannot refuse it before 22.10' }, async (t) => {
  const fd = native.memfdCreate('introduced')
  t.throws(() => structuredClone(fd), { name: 'DataCloneError' })
  t.throws(() => structuredClone({ inside: [fd] }), { name: 'DataCloneError' })
  fd.close()
})
