/** Pools stay small: whatever a burst needed at once, a few of the usual size are kept for the next one. */
import t from 'tap'
import { Binder, type BinderProxy, Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const MIB = 1024 * 1024

function recycleAll(parcels: Parcel[]): void {
  for (const parcel of parcels) parcel.recycle()
}

t.test('parcels that grew are not kept', async (t) => {
  const grown = await support.retainedBytes(() => {
    const parcels = Array.from({ length: 64 }, () => {
      const parcel = Parcel.obtain()
      parcel.writeByteArray(Buffer.alloc(MIB / 2))
      return parcel
    })
    recycleAll(parcels)
  })
  t.ok(grown < MIB, `${grown} bytes`)
})

t.test('a few of many parcels are kept', async (t) => {
  const grown = await support.retainedBytes(() => {
    const parcels = Array.from({ length: 8192 }, () => Parcel.obtain())
    for (const parcel of parcels) parcel.writeInt(1)
    recycleAll(parcels)
  })
  t.ok(grown < MIB, `${grown} bytes`)
})

t.test('parcels that came are not kept with the memory that they came in, whatever their size', async (t) => {
  for (const [size, isBorrowed] of [1024, MIB / 2].flatMap((size) => [true, false].map((is) => [size, is] as const))) {
    const grown = await support.retainedBytes(() => {
      const parcels = Array.from({ length: 64 }, () => {
        return support.parcelFromWire({ bytes: Buffer.alloc(MIB / 2), start: 0, size, isBorrowed }, [])
      })
      recycleAll(parcels)
    })
    t.ok(grown < MIB, `${grown} bytes of parcels of ${size} (${isBorrowed ? 'copied' : 'taken over'})`)
  }
})

t.test('a few of the packets of busy channels are kept', async (t) => {
  const grown = await support.retainedBytes(async () => {
    const pairs = Array.from({ length: 128 }, () => {
      const { client, server } = support.makeChannelPair(false)
      return {
        server: new support.Session(server, { role: 'server', root: new Binder(), peerAcceptsFileDescriptors: true }),
        client: new support.Session(client, { role: 'client', root: null, peerAcceptsFileDescriptors: false }),
      }
    })
    const pingThrice = ({ root }: { root: BinderProxy }) => [1, 2, 3].map(() => root.pingBinder())
    const answers = await Promise.all(pairs.flatMap(({ client }) => pingThrice(client)))
    t.ok(answers.every((answer) => answer))
    for (const { client, server } of pairs) {
      client.close()
      server.close()
    }
  })
  t.ok(grown < 3 * MIB, `${grown} bytes`)
})

t.test('the tokens of interfaces are kept up to a number', async (t) => {
  const grown = await support.retainedBytes(() => {
    for (let i = 0; i < 4096; i++) support.interfaceToken(`${'interface'.repeat(200)}${i}`)
  })
  t.ok(grown < 3 * MIB, `${grown} bytes`)
})
