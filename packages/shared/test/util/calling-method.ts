/** An error about an argument begins with the method that was called, as a program writes it. */
import t from 'tap'
import * as api from '../../src/index.ts'
import { leakChecked, sessionPair } from '../../test-support/index.ts'

leakChecked(t)

const wrong = (value: unknown) => value as never

/** The message of what this throws, or rejects with. */
async function messageOf(act: () => unknown): Promise<string> {
  try {
    await act()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}

t.test('a method, a constructor, a function, one of ashmem, one that is awaited', async (t) => {
  using file = new api.MemoryFile('named', 8)
  using parcel = api.Parcel.obtain()
  const { proxy } = sessionPair(t, new api.Binder())
  const cases: [() => unknown, string][] = [
    [() => file.readBytes(wrong(5), 0, 0, 1), 'MemoryFile.readBytes: '],
    [() => file.writeInt32BE(0, wrong('x')), 'MemoryFile.writeInt32BE: '],
    [() => new api.MemoryFile(wrong(5), 8), 'new MemoryFile: '],
    [() => parcel.writeInt(2 ** 31), 'Parcel.writeInt: '],
    [() => api.defineInterface(wrong(5), {}), 'defineInterface: '],
    [() => api.withOptions(wrong(5), {}), 'withOptions: '],
    [() => api.ashmem.createRegion('x', wrong('many')), 'ashmem.createRegion: '],
    [() => api.ashmem.pinRegion(wrong(5), 0, 0), 'ashmem.pinRegion: '],
    [() => new api.Binder().transact(wrong('code'), parcel), 'Binder.transact: '],
    [() => proxy.transact(wrong('code'), parcel), 'BinderProxy.transact: '],
  ]
  for (const [act, begin] of cases) {
    const message = await messageOf(act)
    t.equal(message.slice(0, begin.length), begin)
    t.notMatch(message.slice(begin.length), /^\w+(\.\w+)?: /, 'once')
  }
})

t.test(
  'what is a program`s own has no method of ours before it, nor has anything where no stacks are recorded',
  async (t) => {
    class Mine {
      check(): void {
        throw new api.InvalidArgValueError('mine')
      }
    }
    t.equal(await messageOf(() => new Mine().check()), 'mine')
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    const message = await messageOf(() => new api.MemoryFile(wrong(5), 8))
    Error.stackTraceLimit = stackTraceLimit
    t.notMatch(message, /^new MemoryFile/)
    t.not(message, 'nothing was thrown')
  },
)
