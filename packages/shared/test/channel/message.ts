/**
 * The codec, without a socket: bytes as docs/protocol.md gives them, and every field that can be wrong, one at a time.
 * What a live channel does about a violation is in violations.ts.
 */
import t from 'tap'
import * as messageModule from '../../src/channel/message.ts'
import { type Envelope, OutgoingBody, writeMessage } from '../../src/channel/outgoing-body.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)

const MAX_DATA = 1_040_384
const NOTHING = { object: 0, code: 0, oneway: false }

/** Each kind of message with all the fields it has, and its 32 bytes of header. */
const golden: [string, Envelope, OutgoingBody, string][] = [
  [
    'HELLO',
    { ...NOTHING, kind: messageModule.KIND_HELLO, id: 0, code: 1 },
    OutgoingBody.EMPTY,
    '01010000 00000000 00000000 01000000 00000000 00000000 00000000 0000 0000',
  ],
  [
    'TRANSACTION',
    { ...NOTHING, kind: messageModule.KIND_TRANSACTION, id: 0x01020304, object: 7, code: 0x5f504e47 },
    new OutgoingBody(Buffer.from('aabbccdd', 'hex')),
    '01020000 04030201 07000000 474e505f 04000000 00000000 04000000 0000 0000 aabbccdd',
  ],
  [
    'oneway TRANSACTION',
    { kind: messageModule.KIND_TRANSACTION, id: 0, object: 0, code: 2, oneway: true },
    OutgoingBody.EMPTY,
    '01020100 00000000 00000000 02000000 00000000 00000000 00000000 0000 0000',
  ],
  [
    'REPLY',
    { ...NOTHING, kind: messageModule.KIND_REPLY, id: 9 },
    new OutgoingBody(Buffer.alloc(4)),
    '01030000 09000000 00000000 00000000 04000000 00000000 04000000 0000 0000 00000000',
  ],
  [
    'FAILURE',
    { ...NOTHING, kind: messageModule.KIND_FAILURE, id: 9, code: 4 },
    new OutgoingBody(Buffer.from('ffffffff', 'hex')),
    '01040000 09000000 00000000 04000000 04000000 00000000 04000000 0000 0000 ffffffff',
  ],
  [
    'RELEASE',
    { ...NOTHING, kind: messageModule.KIND_RELEASE, id: 0, object: 5, code: 3 },
    OutgoingBody.EMPTY,
    '01050000 00000000 05000000 03000000 00000000 00000000 00000000 0000 0000',
  ],
  [
    'REPLY with a descriptor and three binders',
    { ...NOTHING, kind: messageModule.KIND_REPLY, id: 1 },
    new OutgoingBody(
      Buffer.alloc(100, 0xee),
      [
        { offset: 0, type: 1, number: 0, acceptsFileDescriptors: false },
        { offset: 24, type: 2, number: 0x11, acceptsFileDescriptors: false },
        { offset: 52, type: 2, number: 0x12, acceptsFileDescriptors: true },
        { offset: 76, type: 3, number: 0x13, acceptsFileDescriptors: false },
      ],
      [0],
    ),
    `01030000 01000000 00000000 00000000 64000000 04000000 74000000 0100 0000
     0100000000000000 00000000000000000000000000000000
     0200000011000000 00000000000000000000000000000000
     eeeeeeee
     0200000012000000 01000000000000000000000000000000
     0300000013000000 00000000000000000000000000000000
     00000000 18000000 34000000 4c000000`,
  ],
]

for (const [name, envelope, outgoing, hex] of golden) {
  t.test(`${name} stands in its packet as the protocol says`, async (t) => {
    const bytes = Buffer.alloc(32 + outgoing.size)
    outgoing.copyTo(bytes, 32)
    writeMessage(bytes, 0, envelope, outgoing, outgoing.size)
    t.equal(bytes.toString('hex'), hex.replace(/\s/g, ''))
    t.match(messageModule.readHeader(bytes, 0, bytes.length), {
      ...envelope,
      dataSize: outgoing.dataSize,
      objectCount: outgoing.objects.length,
      bodyBytesInPacket: outgoing.size,
      descriptorCount: outgoing.fds.length,
    })
  })
}

t.test('CONTINUATION stands in its packet as the protocol says', async (t) => {
  const bytes = Buffer.alloc(36)
  const fields = { dataSize: 0, objectCount: 0, bodyBytesInPacket: 4, descriptorCount: 0 }
  messageModule.writeHeader(bytes, 0, { ...NOTHING, ...fields, kind: messageModule.KIND_CONTINUATION, id: 9 })
  const hex = '0106000009000000000000000000000000000000000000000400000000000000'
  t.equal(bytes.subarray(0, 32).toString('hex'), hex)
  t.match(messageModule.readHeader(bytes, 0, bytes.length), { kind: support.CONTINUATION, id: 9, bodyBytesInPacket: 4 })
})

t.test('a message is read where it lies in a packet', async (t) => {
  const bytes = Buffer.concat([
    Buffer.alloc(40, 0xff),
    support.message({ kind: support.REPLY, id: 3 }, Buffer.alloc(8)),
    Buffer.alloc(9),
  ])
  t.match(messageModule.readHeader(bytes, 40, 80), { kind: support.REPLY, id: 3, bodyBytesInPacket: 8 })
})

/** What every kind of message may be; each row of the next table breaks one thing about it. */
const valid: Record<string, [support.Fields, Buffer]> = {
  HELLO: [{ kind: support.HELLO, code: 1 }, Buffer.alloc(0)],
  TRANSACTION: [{ kind: support.TRANSACTION, id: 1, object: 2, code: 3 }, Buffer.alloc(48)],
  ONEWAY: [{ kind: support.TRANSACTION, flags: support.ONEWAY, object: 2, code: 3 }, Buffer.alloc(48)],
  REPLY: [{ kind: support.REPLY, id: 1 }, Buffer.alloc(48)],
  FAILURE: [{ kind: support.FAILURE, id: 1, code: 1 }, Buffer.alloc(48)],
  RELEASE: [{ kind: support.RELEASE, object: 1, code: 1 }, Buffer.alloc(0)],
  CONTINUATION: [{ kind: support.CONTINUATION, id: 1 }, Buffer.alloc(48)],
}

for (const [name, [fields, bytes]] of Object.entries(valid)) {
  t.test(`${name} is read`, async (t) => {
    const packet = support.message(name === 'CONTINUATION' ? { ...fields, dataSize: 0 } : fields, bytes)
    t.equal(messageModule.readHeader(packet, 0, packet.length).kind, fields.kind)
  })
}

const EVERY = Object.keys(valid)
const CALLS = ['TRANSACTION', 'ONEWAY']
const WITH_PARCEL = [...CALLS, 'REPLY', 'FAILURE']
const WITHOUT_PARCEL = ['HELLO', 'RELEASE', 'CONTINUATION']

const broken: [string, string[], Partial<support.Fields>][] = [
  ['version 0', EVERY, { version: 0 }],
  ['version 2', EVERY, { version: 2 }],
  ['kind 0', EVERY, { kind: 0 }],
  ['kind 7', EVERY, { kind: 7 }],
  ['kind 255', EVERY, { kind: 255 }],
  ['the flag bit 1', EVERY, { flags: 2 }],
  ['the flag bit 15', EVERY, { flags: 0x8000 }],
  ['the reserved field', EVERY, { reserved: 1 }],
  [
    'ONEWAY where it has no place',
    ['HELLO', 'TRANSACTION', 'REPLY', 'FAILURE', 'RELEASE', 'CONTINUATION'],
    { flags: 1 },
  ],
  ['no id', ['TRANSACTION'], { id: 0 }],
  ['an id', ['HELLO', 'ONEWAY', 'RELEASE'], { id: 1 }],
  ['an object', ['HELLO', 'REPLY', 'FAILURE', 'CONTINUATION'], { object: 1 }],
  ['a code', ['REPLY', 'CONTINUATION'], { code: 1 }],
  ['no status', ['FAILURE'], { code: 0 }],
  ['a parcel of its own', WITHOUT_PARCEL, { dataSize: 4 }],
  ['objects', ['HELLO', 'RELEASE', 'CONTINUATION', 'FAILURE'], { objectCount: 1 }],
  ['descriptors', WITHOUT_PARCEL, { descriptorCount: 1 }],
  ['a parcel that is no multiple of 4', WITH_PARCEL, { dataSize: 50 }],
  ['a parcel over the limit', WITH_PARCEL, { dataSize: MAX_DATA + 4 }],
  ['a parcel of 4 GiB', WITH_PARCEL, { dataSize: 0xfffffffc }],
  ['objects that the parcel cannot hold', [...CALLS, 'REPLY'], { objectCount: 3, dataSize: 48 }],
  ['4,097 objects', [...CALLS, 'REPLY'], { objectCount: 4097, dataSize: MAX_DATA }],
  ['2^32 - 1 objects', [...CALLS, 'REPLY'], { objectCount: 0xffffffff }],
  ['a body longer than its packet', EVERY, { bodyBytesInPacket: 49 }],
  ['a body of 4 GiB in this packet', EVERY, { bodyBytesInPacket: 0xffffffff }],
  ['more in this packet than its body has', WITH_PARCEL, { dataSize: 44 }],
  ['nothing in this packet', ['CONTINUATION'], { bodyBytesInPacket: 0 }],
]

for (const [what, kinds, fields] of broken) {
  for (const name of kinds) {
    t.test(`${name} with ${what} is a violation`, async (t) => {
      const [good, bytes] = valid[name] as [support.Fields, Buffer]
      const packet = support.message(
        name === 'CONTINUATION' ? { dataSize: 0, ...good, ...fields } : { ...good, ...fields },
        bytes,
      )
      t.throws(() => messageModule.readHeader(packet, 0, packet.length), messageModule.Violation)
    })
  }
}

t.test('a header that is cut off is a violation at every length', async (t) => {
  const whole = support.message({ kind: support.HELLO, code: 1 })
  for (let length = 0; length < whole.length; length++) {
    t.throws(
      () => messageModule.readHeader(whole.subarray(0, length), 0, length),
      messageModule.Violation,
      `${length} bytes`,
    )
  }
})

t.test('the version of a HELLO is known from its first two bytes, whatever follows', async (t) => {
  const versionOf = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex')
    return messageModule.foreignVersion(bytes, 0, bytes.length)
  }
  t.equal(versionOf('0201'), 2)
  t.equal(versionOf('0001ffffffff'), 0)
  t.equal(versionOf('0101'), null, 'our own')
  t.equal(versionOf('0202'), null, 'no HELLO')
  t.equal(versionOf('02'), null, 'too short to tell')
})

t.test('a body is its data and four bytes for each object', async (t) => {
  const packet = support.message({ kind: support.REPLY, id: 1, dataSize: 96, objectCount: 4, bodyBytesInPacket: 0 })
  t.equal(messageModule.bodySize(messageModule.readHeader(packet, 0, packet.length)), 112)
})

// --- object tables ---

const at = (offset: number, type = support.SENDERS_BINDER, number = 1): support.WireObject => ({ offset, type, number })

const tables: [string, number, support.WireObject[], number][] = [
  ['none', 0, [], 0],
  ['one that fills the parcel', 24, [at(0)], 0],
  ['two side by side', 48, [at(0), at(24)], 0],
  ['one at the end', 52, [at(28)], 0],
  [
    'the three types',
    72,
    [at(0, support.DESCRIPTOR, 0), at(24, support.SENDERS_BINDER, 9), at(48, support.RECEIVERS_BINDER, 0)],
    1,
  ],
  ['descriptors between binders', 72, [at(0, support.DESCRIPTOR, 0), at(24), at(48, support.DESCRIPTOR, 1)], 2],
  ['a binder that accepts descriptors', 24, [{ ...at(0), acceptsFileDescriptors: true }], 0],
]

for (const [name, dataSize, objects, fdCount] of tables) {
  t.test(`a table of objects is read: ${name}`, async (t) => {
    const read = messageModule.readObjects(
      support.body(dataSize, objects),
      0,
      { dataSize, objectCount: objects.length },
      fdCount,
    )
    t.same(
      read,
      objects.map((object) => ({ acceptsFileDescriptors: false, ...object })),
    )
  })
}

const brokenTables: [string, number, support.WireObject[], number][] = [
  ['an offset that is no multiple of 4', 32, [at(2)], 0],
  ['an object beyond the data', 24, [at(4)], 0],
  ['objects that overlap', 48, [at(0), at(20)], 0],
  ['the same object twice', 48, [at(0), at(0)], 0],
  ['objects out of order', 48, [at(24), at(0)], 0],
  ['type 0', 24, [at(0, 0)], 0],
  ['type 4', 24, [at(0, 4)], 0],
  ['a descriptor that did not come', 24, [at(0, support.DESCRIPTOR, 0)], 0],
  ['a descriptor that is not named', 24, [at(0)], 1],
  ['descriptors out of order', 48, [at(0, support.DESCRIPTOR, 1), at(24, support.DESCRIPTOR, 0)], 2],
  ['a descriptor named twice', 48, [at(0, support.DESCRIPTOR, 0), at(24, support.DESCRIPTOR, 0)], 2],
  ['a descriptor that accepts descriptors', 24, [{ ...at(0, support.DESCRIPTOR, 0), acceptsFileDescriptors: true }], 1],
  [
    'a binder of the receiver that accepts descriptors',
    24,
    [{ ...at(0, support.RECEIVERS_BINDER), acceptsFileDescriptors: true }],
    0,
  ],
]

for (const [name, dataSize, objects, fdCount] of brokenTables) {
  t.test(`a table of objects is a violation: ${name}`, async (t) => {
    t.throws(
      () =>
        messageModule.readObjects(
          support.body(dataSize, objects),
          0,
          { dataSize, objectCount: objects.length },
          fdCount,
        ),
      messageModule.Violation,
    )
  })
}

t.test('an offset near 2^32 is a violation', async (t) => {
  const bytes = support.body(24, [at(0)])
  for (const offset of [0xfffffffc, 0x80000000, 24]) {
    bytes.writeUInt32LE(offset, 24)
    t.throws(
      () => messageModule.readObjects(bytes, 0, { dataSize: 24, objectCount: 1 }, 0),
      messageModule.Violation,
      `${offset}`,
    )
  }
})

t.test('every reserved byte of an object must be zero', async (t) => {
  for (const [type, number] of [
    [support.DESCRIPTOR, 0],
    [support.SENDERS_BINDER, 1],
    [support.RECEIVERS_BINDER, 1],
  ] as const) {
    for (let offset = 8; offset < 24; offset++) {
      const bytes = support.body(24, [at(0, type, number)])
      bytes[offset] = 2
      t.throws(
        () =>
          messageModule.readObjects(bytes, 0, { dataSize: 24, objectCount: 1 }, type === support.DESCRIPTOR ? 1 : 0),
        messageModule.Violation,
        `type ${type}, byte ${offset}`,
      )
    }
  }
})
