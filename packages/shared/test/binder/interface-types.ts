/**
 * What the compiler makes of a table: this file is tested by being compiled. Each line after `@ts-expect-error` must be
 * refused, or the build fails; the test at the end only says so.
 */
import t from 'tap'
import { defineInterface, type ImplementationOf, type Remote } from '../../src/binder/interface.ts'
import { types } from '../../src/binder/parcel-types.ts'
import type { ParcelFileDescriptor } from '../../src/os/parcel-file-descriptor.ts'
import type { IBinder } from '../../src/parcel/ibinder.ts'

const IShop = defineInterface('x.IShop', {
  price: { code: 1, args: [types.string, types.boolean], returns: types.long },
  close: { code: 2, args: [] },
  ring: { code: 3, args: [types.int], oneway: true },
  ledger: { code: 4, args: [], returns: types.nullable(types.parcelFileDescriptor) },
})

type Shop = ImplementationOf<typeof IShop>
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <T extends true>(): T => true as T

// Types are inferred from the table, both ways.
same<Equal<Parameters<Shop['price']>, [string | null, boolean]>>()
same<Equal<ReturnType<Shop['price']>, bigint | Promise<bigint>>>()
same<Equal<ReturnType<Shop['close']>, void | Promise<void>>>()
same<Equal<Parameters<Shop['ring']>, [number]>>()
same<Equal<ReturnType<Shop['ledger']>, ParcelFileDescriptor | null | Promise<ParcelFileDescriptor | null>>>()
type RemoteShop = Remote<(typeof IShop)['methods']>
same<Equal<ReturnType<RemoteShop['price']>, Promise<bigint>>>()
same<Equal<(typeof IShop)['TRANSACTION_price'], 1>>()
same<Equal<(typeof IShop)['DESCRIPTOR'], string>>()

export function use(binder: IBinder, maybe: IBinder | null): void {
  const shop = IShop.asInterface(binder)
  void shop.price('tea', true)
  // @ts-expect-error a method that the table does not have
  void shop.cost('tea')
  // @ts-expect-error an argument of another type
  void shop.price(1, true)
  // @ts-expect-error an argument too few
  void shop.price('tea')
  // @ts-expect-error an argument too many
  void shop.close(1)
  // @ts-expect-error a result of another type
  const cost: Promise<string> = new IShop.Proxy(binder).price('tea', true)
  // @ts-expect-error there may be no binder
  void IShop.asInterface(maybe).close()
  // @ts-expect-error no such code
  void IShop.TRANSACTION_cost
  // @ts-expect-error codes are not to be changed
  IShop.TRANSACTION_price = 2
  void cost
}

export class GoodShop extends IShop.Stub implements ImplementationOf<typeof IShop> {
  async price(name: string | null, isNew: boolean): Promise<bigint> {
    return isNew ? BigInt(name?.length ?? 0) : 0n
  }
  close(): void {}
  ring(_times: number): void {}
  ledger(): null {
    return null
  }
}

// @ts-expect-error close, ring and ledger are missing
export class LazyShop extends IShop.Stub implements ImplementationOf<typeof IShop> {
  price(): bigint {
    return 0n
  }
}

export class WrongShop extends IShop.Stub implements Partial<ImplementationOf<typeof IShop>> {
  // @ts-expect-error a price is a bigint
  price(): number {
    return 0
  }
}

export function define(): void {
  // @ts-expect-error a code is a number
  defineInterface('x', { m: { code: '1', args: [] } })
  // @ts-expect-error an argument is a type
  defineInterface('x', { m: { code: 1, args: ['int'] } })
}

t.test('an interface and its types have been compiled', async (t) => {
  t.equal(new GoodShop().close(), undefined)
})
