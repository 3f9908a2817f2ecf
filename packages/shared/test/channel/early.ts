/** What has come on a channel is learnt in the middle of something: single oneway calls are served early, all else keeps its order. */
import t from 'tap'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const EARLY = 7
const onewayTo = (object: number, code: number) =>
  support.message({ kind: support.TRANSACTION, flags: support.ONEWAY, object, code })

const withDescriptor = (code: number) =>
  support.message(
    { kind: support.TRANSACTION, flags: support.ONEWAY, object: EARLY, code, objectCount: 1, descriptorCount: 1 },
    support.body(24, [{ offset: 0, type: support.DESCRIPTOR, number: 0 }]),
  )

t.test('calls with descriptors to one object are served early, in order; the rest in its turn, in order', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const [fd] = support.regions(t, 1)
  peer.send(support.packet(onewayTo(3, 1)))
  peer.send(withDescriptor(2), [fd as never])
  peer.send(support.packet(onewayTo(3, 3), onewayTo(3, 4)))
  peer.send(withDescriptor(5), [fd as never])
  recorder.onCall = ({ body }) => {
    for (const fd of body.fds) fd.close()
  }
  channel.serveEarly(EARLY)
  t.same(
    recorder.calls.map(({ code }) => code),
    [2, 5],
  )
  peer.send(support.packet(onewayTo(3, 6)))
  await recorder.calledTimes(6)
  t.same(
    recorder.calls.map(({ code }) => code),
    [2, 5, 1, 3, 4, 6],
  )
})

t.test('a search for early calls in the middle of one gets those behind it, in order', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const [fd] = support.regions(t, 1)
  for (const code of [1, 2, 3]) peer.send(withDescriptor(code), [fd as never])
  recorder.onCall = ({ code, body }) => {
    for (const fd of body.fds) fd.close()
    if (code === 1) peer.send(withDescriptor(4), [fd as never])
    channel.serveEarly(EARLY)
  }
  channel.serveEarly(EARLY)
  t.same(
    recorder.calls.map(({ code }) => code),
    [1, 2, 3, 4],
  )
})

t.test('that one may be in its turn, too', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const [fd] = support.regions(t, 1)
  for (const code of [1, 2, 3]) peer.send(withDescriptor(code), [fd as never])
  let codesAfterFirst: number[] = []
  recorder.onCall = ({ code, body }) => {
    for (const fd of body.fds) fd.close()
    if (code > 1) return
    channel.serveEarly(EARLY)
    codesAfterFirst = recorder.calls.map(({ code }) => code)
  }
  channel.serveEarly(EARLY + 1)
  await recorder.calledTimes(3)
  t.same(codesAfterFirst, [1, 2, 3])
})

t.test('a violation is found in its turn, not by a search for early calls', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const [fd] = support.regions(t, 1)
  peer.send(onewayTo(3, 1))
  peer.send(withDescriptor(2), [fd as never])
  peer.send(Buffer.from('no message'))
  peer.send(withDescriptor(3), [fd as never])
  recorder.onCall = ({ body }) => {
    for (const fd of body.fds) fd.close()
  }
  t.doesNotThrow(() => channel.serveEarly(EARLY))
  t.same(
    recorder.calls.map(({ code }) => code),
    [2, 3],
  )
  t.equal(channel.isEnded, false)
  t.type(await recorder.ended(), support.Violation)
  t.same(
    recorder.calls.map(({ code }) => code),
    [2, 3, 1],
  )
})
