/** What has come on a channel is learnt in the middle of something: single oneway calls are served early, all else keeps its order. */
import t from 'tap'
import { leakChecked } from '../../test-support/leaks.ts'
import { watchdog } from '../../test-support/watchdog.ts'
import { body, DESCRIPTOR, message, ONEWAY, packet, TRANSACTION } from '../../test-support/wire.ts'
import { regions } from '../fixtures/descriptors.ts'
import { recordedClient } from '../fixtures/recorded-channel.ts'

leakChecked(t)
watchdog(t)

const EARLY = 7
const onewayTo = (object: number, code: number) => message({ kind: TRANSACTION, flags: ONEWAY, object, code })

t.test('calls with descriptors to one object are served early, in order; the rest in its turn, in order', async (t) => {
  const { channel, recorder, peer } = await recordedClient(t)
  const [fd] = regions(t, 1)
  const withDescriptor = (code: number) =>
    message(
      { kind: TRANSACTION, flags: ONEWAY, object: EARLY, code, objectCount: 1, descriptorCount: 1 },
      body(24, [{ offset: 0, type: DESCRIPTOR, number: 0 }]),
    )
  peer.send(packet(onewayTo(3, 1)))
  peer.send(withDescriptor(2), [fd as never])
  peer.send(packet(onewayTo(3, 3), onewayTo(3, 4)))
  peer.send(withDescriptor(5), [fd as never])
  recorder.onCall = ({ body }) => {
    for (const fd of body.fds) fd.close()
  }
  channel.serveEarly(EARLY)
  t.same(
    recorder.calls.map(({ code }) => code),
    [2, 5],
  )
  peer.send(packet(onewayTo(3, 6)))
  await recorder.calledTimes(6)
  t.same(
    recorder.calls.map(({ code }) => code),
    [2, 5, 1, 3, 4, 6],
  )
})
