/** A callback that a store does not keep goes back with the answer: or its process would not end. */
import { areaTypes } from 'memfd-native'
import t from 'tap'
import { IStore, type OwnedStoreOptions, Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const CALLBACK = 7

function callWithCallback(id: number, code: number, prefix: string | null, more = (_data: Parcel) => {}): Buffer {
  const data = Parcel.obtain()
  data.writeInterfaceToken(IStore.DESCRIPTOR)
  const offset = data.dataSize()
  for (let i = 0; i < 6; i++) data.writeInt(0) // the object
  if (prefix !== null) data.writeString(prefix)
  more(data)
  const bytes = data.marshall()
  data.recycle()
  const body = Buffer.concat([bytes, Buffer.alloc(4)])
  body.writeUInt32LE(support.SENDERS_BINDER, offset)
  body.writeUInt32LE(CALLBACK, offset + 4)
  body.writeUInt32LE(offset, bytes.length)
  return support.message({ kind: support.TRANSACTION, id, code, dataSize: bytes.length, objectCount: 1 }, body)
}

t.test('a watch that ended, and one that never began, give everything back', async (t) => {
  const store = support.ownedStore(t)
  const { peer } = support.rawClient(t, store.binder)
  peer.send(callWithCallback(1, IStore.TRANSACTION_watch, 'a'))
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 1 }])
  for (const id of [2, 3]) {
    peer.send(callWithCallback(id, IStore.TRANSACTION_unwatch, null))
    const messages = await peer.receiveMessages(2)
    t.match(
      messages.find(({ kind }) => kind === support.RELEASE),
      { object: CALLBACK },
    )
    t.match(
      messages.find(({ kind }) => kind === support.REPLY),
      { id },
    )
  }
})

/** What `begin` has behind the key. */
const upload =
  (byteLength: bigint, type: number = areaTypes.BYTES) =>
  (data: Parcel) => {
    data.writeInt(type)
    data.writeLong(byteLength)
  }

const REFUSED: Record<string, { call: Buffer; options?: OwnedStoreOptions }> = {
  'an upload that may not be': {
    call: callWithCallback(9, IStore.TRANSACTION_begin, 'k', upload(1n)),
    options: { mayWrite: () => false },
  },
  'an upload that is too large': { call: callWithCallback(9, IStore.TRANSACTION_begin, 'k', upload(1n << 40n)) },
  'an upload of no type': { call: callWithCallback(9, IStore.TRANSACTION_begin, 'k', upload(1n, 7)) },
  'an upload for no key': { call: callWithCallback(9, IStore.TRANSACTION_begin, '', upload(1n)) },
  'a watch of too long a prefix': { call: callWithCallback(9, IStore.TRANSACTION_watch, 'p'.repeat(513)) },
}

for (const [what, { call, options = {} }] of Object.entries(REFUSED)) {
  t.test(`of ${what}`, async (t) => {
    const store = support.ownedStore(t, options)
    const { peer } = support.rawClient(t, store.binder)
    for (let round = 0; round < 2; round++) {
      peer.send(call)
      const messages = await peer.receiveMessages(2)
      t.match(
        messages.find(({ kind }) => kind === support.RELEASE),
        { object: CALLBACK, code: 1 },
      )
      t.ok(messages.some(({ kind, id }) => kind !== support.RELEASE && id === 9))
    }
  })
}

t.test('uploads give everything back when the last one is over', async (t) => {
  const store = support.ownedStore(t)
  const { peer } = support.rawClient(t, store.binder)
  const ids: number[] = []
  for (let i = 0; i < 2; i++) {
    peer.send(callWithCallback(1, IStore.TRANSACTION_begin, 'k', upload(10n)))
    const [answer] = await peer.receiveMessages(1)
    ids.push(answer?.body.readInt32LE(4) ?? 0)
  }
  const abort = (upload: number) => {
    const data = Parcel.obtain()
    data.writeInterfaceToken(IStore.DESCRIPTOR)
    data.writeInt(upload)
    peer.send(support.message({ kind: support.TRANSACTION, id: 2, code: IStore.TRANSACTION_abort }, data.marshall()))
    data.recycle()
  }
  abort(ids[0] ?? 0)
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 2 }], 'the other one needs it')
  abort(ids[1] ?? 0)
  const messages = await peer.receiveMessages(2)
  t.match(
    messages.find(({ kind }) => kind === support.RELEASE),
    { object: CALLBACK, code: 2 },
  )
})

t.test('an object that watches goes on when an upload with it is refused, or over', async (t) => {
  const store = support.ownedStore(t)
  const { peer } = support.rawClient(t, store.binder)
  peer.send(callWithCallback(1, IStore.TRANSACTION_watch, 'a'))
  await peer.receiveMessages(1)
  peer.send(callWithCallback(2, IStore.TRANSACTION_begin, 'k', upload(1n << 40n)))
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 2 }])
  store.set('a', 1)
  t.match(await peer.receiveMessages(1), [{ kind: support.TRANSACTION, object: CALLBACK }], 'it is told')
})
