import { sendmsg } from 'memfd-native'
import t, { type Test } from 'tap'
import { borrowFd, CommChannel, leakChecked, STATUS, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** Two ends, closed with the test. */
function channelPair(t: Test): [CommChannel, CommChannel] {
  const [one, other] = CommChannel.pair().map((descriptor) => new CommChannel(descriptor))
  if (one === undefined || other === undefined) throw new Error('a pair has two ends')
  t.teardown(() => {
    one.descriptor.close()
    other.descriptor.close()
  })
  return [one, other]
}

t.test('a peer that says nothing is no trouble, as often as one asks', async (t) => {
  const [here] = channelPair(t)
  for (let times = 0; times < 3; times++) {
    t.equal(here.peerStatus(), null)
    t.doesNotThrow(() => here.check())
  }
})

t.test('the status of a closing peer is remembered, also after closing', async (t) => {
  const [here, there] = channelPair(t)
  there.close(STATUS.ERROR, 'OMG MUFFINS')
  t.equal(there.isOpen, false)
  for (let times = 0; times < 2; times++) {
    t.throws(() => here.check(), { code: 'ERR_REMOTE_ERROR', message: 'Remote error: OMG MUFFINS' })
  }
  here.close(STATUS.OK)
  t.throws(() => here.check(), { code: 'ERR_REMOTE_ERROR' })
})

t.test('a clean close is no error', async (t) => {
  const [here, there] = channelPair(t)
  there.close(STATUS.OK)
  t.same(here.peerStatus(), { code: STATUS.OK, message: '' })
  t.doesNotThrow(() => here.check())
})

t.test('a peer that closes in silence is dead', async (t) => {
  const [here, there] = channelPair(t)
  there.close(STATUS.SILENCE, 'not sent')
  t.throws(() => here.check(), { code: 'ERR_REMOTE_ERROR', message: 'Remote side is dead' })
})

t.test('the end that closes second sends nothing, and knows the status of the first', async (t) => {
  const [here, there] = channelPair(t)
  there.close(STATUS.ERROR, 'BLUE RAWR')
  here.close(STATUS.ERROR, 'RED RAWR')
  t.throws(() => here.check(), { message: 'Remote error: BLUE RAWR' })
  t.doesNotThrow(() => there.check())
})

t.test('closing again says nothing more', async (t) => {
  const [here, there] = channelPair(t)
  there.close(STATUS.OK)
  there.close(STATUS.ERROR, 'too late')
  t.doesNotThrow(() => here.check())
})

t.test('a status of bytes that are no text, or none at all, harms nobody', async (t) => {
  const packets = [
    { bytes: [0, 0, 0, 1, 0xff, 0xc3], message: 'Remote error: \ufffd\ufffd' },
    { bytes: [0x7f, 0xff, 0xff, 0xff], message: 'Unknown status: 2147483647' },
    { bytes: [0, 0], message: 'Remote side is dead' },
  ]
  for (const { bytes, message } of packets) {
    const [here, there] = channelPair(t)
    sendmsg(borrowFd(there.descriptor), Uint8Array.from(bytes))
    t.throws(() => here.check(), { code: 'ERR_REMOTE_ERROR', message })
  }
})

t.test('descriptors that a peer attaches to its status are not taken in', async (t) => {
  const [here, there] = channelPair(t)
  sendmsg(borrowFd(there.descriptor), Uint8Array.of(0, 0, 0, 0), [0, 1])
  t.match(here.peerStatus(), { code: STATUS.OK })
})
