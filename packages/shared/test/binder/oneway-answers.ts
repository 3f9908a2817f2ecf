/** A oneway call of a method that answers: nobody wants the answer, so nothing is done. */
import t from 'tap'
import { Binder, defineInterface, type Parcel, type ParcelType, types } from '../../src/index.ts'
import { call, leakChecked, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const { FLAG_ONEWAY } = Binder
let reads = 0
const watched: ParcelType<number> = {
  ...types.int,
  read: (parcel) => {
    reads += 1
    return types.int.read(parcel)
  },
}

const IThing = defineInterface('test.IThing', {
  ask: { code: 1, args: [watched], returns: types.int },
  set: { code: 2, args: [watched] },
})

class Thing extends IThing.Stub {
  readonly served: string[] = []

  ask(value: number): number {
    this.served.push(`ask ${value}`)
    return value
  }

  set(value: number): void {
    this.served.push(`set ${value}`)
  }
}

function request(value: number) {
  return (data: Parcel) => {
    data.writeInterfaceToken(IThing.DESCRIPTOR)
    data.writeInt(value)
  }
}

for (const where of ['here', 'in another process']) {
  t.test(`called oneway ${where}, a method that answers is not run, and its arguments are not read`, async (t) => {
    const thing = new Thing()
    const binder = where === 'here' ? thing : sessionPair(t, thing).proxy
    reads = 0
    for (const value of [1, 2]) await call(binder, 1, { write: request(value), flags: FLAG_ONEWAY })
    await binder.pingBinder()
    t.strictSame([thing.served, reads], [[], 0])
    if (where === 'here') return
    await call(binder, 2, { write: request(3), flags: FLAG_ONEWAY })
    await binder.pingBinder()
    t.strictSame(thing.served, ['set 3'], 'one that answers nothing is')
    t.equal(await IThing.asInterface(binder).ask(4), 4)
  })
}

t.test('an object that serves its calls by hand decides by the flags', async (t) => {
  const seen: number[] = []
  class ByHand extends Binder {
    override onTransact(_code: number, _data: Parcel, _reply: Parcel, flags: number): boolean {
      seen.push(flags)
      return true
    }
  }
  const { proxy } = sessionPair(t, new ByHand())
  await call(proxy, 1, { write: request(1), flags: FLAG_ONEWAY })
  await call(proxy, 1, { write: request(1) })
  t.strictSame(seen, [FLAG_ONEWAY, 0])
})
