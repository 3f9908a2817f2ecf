/** A callback that a store does not keep goes back with the answer: or its process would not end. */
import t from 'tap'
import { IStore, Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const CALLBACK = 7

function callWithCallback(id: number, code: number, prefix: string | null): Buffer {
  const data = Parcel.obtain()
  data.writeInterfaceToken(IStore.DESCRIPTOR)
  const offset = data.dataSize()
  for (let i = 0; i < 6; i++) data.writeInt(0) // the object
  if (prefix !== null) data.writeString(prefix)
  const bytes = data.marshall()
  data.recycle()
  const body = Buffer.concat([bytes, Buffer.alloc(4)])
  body.writeUInt32LE(support.SENDERS_BINDER, offset)
  body.writeUInt32LE(CALLBACK, offset + 4)
  body.writeUInt32LE(offset, bytes.length)
  return support.message({ kind: support.TRANSACTION, id, code, dataSize: bytes.length, objectCount: 1 }, body)
}

t.test('of a watch that ended, and of one that never began', async (t) => {
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
