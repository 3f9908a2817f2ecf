import t from 'tap'
import { decodeStatus, encodeStatus, MAX_STATUS_BYTES, STATUS, statusError } from '../../src/os/comm-status.ts'

t.test('a packet is the code in four big-endian bytes, then the text', async (t) => {
  t.same(encodeStatus({ code: STATUS.ERROR, message: 'hé' }), Buffer.from([0, 0, 0, 1, 0x68, 0xc3, 0xa9]))
  t.same(encodeStatus({ code: STATUS.DEAD, message: '' }), Buffer.from([0xff, 0xff, 0xff, 0xfe]))
})

t.test('an encoded status is decoded', async (t) => {
  for (const code of [...Object.values(STATUS), 77, -0x8000_0000, 0x7fff_ffff]) {
    for (const message of ['', 'OMG MUFFINS', 'ünï 🧁', '\0']) {
      t.same(decodeStatus(encodeStatus({ code, message })), { code, message })
    }
  }
})

t.test('a long text is cut to 1024 bytes in all, between characters', async (t) => {
  const room = MAX_STATUS_BYTES - 4
  const cases = [
    { text: 'x'.repeat(room), kept: room },
    { text: 'x'.repeat(room + 1), kept: room },
    { text: `${'x'.repeat(room - 1)}é`, kept: room - 1 },
    { text: '🧁'.repeat(room), kept: room },
  ]
  for (const { text, kept } of cases) {
    const packet = encodeStatus({ code: STATUS.ERROR, message: text })
    t.equal(packet.length, 4 + kept)
    t.ok(text.startsWith(decodeStatus(packet).message))
  }
})

t.test('a packet without room for a code is a dead peer', async (t) => {
  for (let length = 0; length < 4; length++) t.equal(decodeStatus(Buffer.alloc(length)).code, STATUS.DEAD)
})

t.test('each status has its error', async (t) => {
  const cases = [
    { code: STATUS.DEAD, errorCode: 'ERR_REMOTE_ERROR', text: 'Remote side is dead' },
    { code: STATUS.SILENCE, errorCode: 'ERR_REMOTE_ERROR', text: 'Unknown status: -1' },
    { code: STATUS.ERROR, errorCode: 'ERR_REMOTE_ERROR', text: 'Remote error: MUFFINS' },
    { code: STATUS.DETACHED, errorCode: 'ERR_DETACHED', text: 'Remote side is detached' },
    { code: STATUS.LEAKED, errorCode: 'ERR_REMOTE_ERROR', text: 'Remote side was leaked' },
    { code: 4, errorCode: 'ERR_REMOTE_ERROR', text: 'Unknown status: 4' },
  ]
  for (const { code, errorCode, text } of cases) {
    t.match(statusError({ code, message: 'MUFFINS' }), { code: errorCode, message: text })
  }
  t.equal(statusError({ code: STATUS.OK, message: 'MUFFINS' }), null)
})
