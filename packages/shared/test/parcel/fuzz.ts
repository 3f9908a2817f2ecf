/**
 * Any bytes at all, fed to the readers in any order, give values or a refusal: never a crash, a hang, or more than the
 * bytes are worth. Half of the inputs are parcels that were good until some of their bytes changed.
 * What once failed is in test-support/fixtures/parcel/fuzz-corpus.json and is run first.
 */

import t from 'tap'
import { errorCode, Parcel, ParcelFileDescriptor, SharedMemory } from '../../src/index.ts'
import type { ParcelObject } from '../../src/parcel/object-table.ts'
import { parcelFromWire } from '../../src/parcel/parcel-objects.ts'
import { leakChecked, nodeFs, Polygon, Random, received, seed, TestBinder, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const ROUNDS = 10_000
const CORPUS_FILE = new URL('../../../test-support/fixtures/parcel/fuzz-corpus.json', import.meta.url)
const REFUSALS = ['ERR_BAD_PARCEL', 'ERR_SECURITY']

const READERS: Record<string, (parcel: Parcel) => unknown> = {
  readByte: (p) => p.readByte(),
  readInt: (p) => p.readInt(),
  readLong: (p) => p.readLong(),
  readFloat: (p) => p.readFloat(),
  readDouble: (p) => p.readDouble(),
  readBoolean: (p) => p.readBoolean(),
  readString: (p) => p.readString(),
  readString8: (p) => p.readString8(),
  readByteArray: (p) => p.readByteArray(),
  readBlob: (p) => p.readBlob(),
  readBooleanArray: (p) => p.readBooleanArray(),
  readIntArray: (p) => p.readIntArray(),
  readLongArray: (p) => p.readLongArray(),
  readFloatArray: (p) => p.readFloatArray(),
  readDoubleArray: (p) => p.readDoubleArray(),
  readStringArray: (p) => p.readStringArray(),
  readStrongBinder: (p) => p.readStrongBinder(),
  readBinderArray: (p) => p.readBinderArray(),
  readInterfaceArray: (p) => p.readInterfaceArray((binder) => binder),
  readTypedObject: (p) => p.readTypedObject(Polygon.CREATOR),
  readTypedArray: (p) => p.readTypedArray(Polygon.CREATOR),
  'a SharedMemory': (p) => p.readTypedObject(SharedMemory.CREATOR),
  'a ParcelFileDescriptor': (p) => p.readTypedObject(ParcelFileDescriptor.CREATOR),
  readFileDescriptor: (p) => p.readFileDescriptor(),
  enforceInterface: (p) => p.enforceInterface('a.B'),
  enforceNoDataAvail: (p) => p.enforceNoDataAvail(),
}

/** What one reader says of the bytes at the position: true, or what is wrong with it. */
function outcome(parcel: Parcel, read: (parcel: Parcel) => unknown): true | string {
  const size = parcel.dataSize()
  try {
    const weight = weigh(read(parcel))
    return weight <= size || `a value of ${weight} from ${size} bytes`
  } catch (error) {
    const code = errorCode(error)
    return REFUSALS.includes(code ?? '') || `${code}: ${error}`
  }
}

/** How many bytes a value cannot have done without, at the least. */
function weigh(value: unknown): number {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value.length
  return Array.isArray(value) ? value.length * 4 : 0
}

/** Reads until the end in an order of its own; answers what went wrong. */
function readAll(parcel: Parcel, random: Random): string[] {
  const names = Object.keys(READERS)
  const problems: string[] = []
  for (let step = 0; step < 50 && parcel.dataAvail() > 0; step++) {
    const name = random.pick(names)
    const result = outcome(parcel, READERS[name] as (parcel: Parcel) => unknown)
    if (result !== true) problems.push(`${name}: ${result}`)
  }
  return problems
}

/** Ints that lengths, tags and codes turn on. */
function interestingInt(random: Random): number {
  return random.pick([
    -1,
    0,
    1,
    2,
    3,
    4,
    8,
    0x7fff_ffff,
    -0x8000_0000,
    0x3fff_ffff,
    0x1fff_ffff,
    random.below(300),
    -8,
    -128,
  ])
}

function noise(random: Random): Buffer {
  const data = random.bytes(random.below(64) * random.pick([1, 4]))
  for (let at = 0; at + 4 <= data.length; at += 4) if (random.chance(40)) data.writeInt32LE(interestingInt(random), at)
  return data
}

function damaged(random: Random): Buffer {
  using parcel = Parcel.obtain()
  parcel.writeInterfaceToken('a.B')
  parcel.writeString('text')
  parcel.writeStringArray(['a', null, 'bc'])
  parcel.writeTypedArray([new Polygon(null), null], 0)
  parcel.writeBlob(random.bytes(random.below(30)))
  parcel.writeLongArray([1n, 2n])
  const data = parcel.marshall()
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(data.length - 3)
    if (random.chance(50)) data.writeInt32LE(interestingInt(random), at & ~3)
    else data[at] = random.below(256)
  }
  return data.subarray(0, data.length - (random.chance(30) ? random.below(data.length) : 0))
}

/** Binders wherever there is room, some on top of what are lengths otherwise. */
function someObjects(random: Random, size: number): ParcelObject[] {
  const objects: ParcelObject[] = []
  for (let offset = random.below(20) * 4; offset + 24 <= size; offset += 24 + random.below(30) * 4) {
    objects.push({ offset, kind: 'binder', binder: new TestBinder() })
  }
  return objects
}

t.test('the corpus of inputs that once were interesting', async (t) => {
  const corpus: string[] = JSON.parse(nodeFs.readFileSync(CORPUS_FILE, 'utf8'))
  for (const hex of corpus) {
    for (const [name, read] of Object.entries(READERS)) {
      using parcel = parcelFromWire(received(Buffer.from(hex, 'hex')), [])
      t.equal(outcome(parcel, read), true, `${name} of ${hex}`)
    }
  }
})

t.test(`${ROUNDS} random inputs (SEED=${seed})`, async (t) => {
  const random = new Random(seed)
  for (let round = 0; round < ROUNDS; round++) {
    const data = random.chance(50) ? noise(random) : damaged(random)
    const objects = random.chance(30) ? someObjects(random, data.length) : []
    using parcel = parcelFromWire(received(data, random.chance(50)), objects)
    const problems = readAll(parcel, random)
    if (problems.length > 0) t.strictSame(problems, [], `${data.toString('hex')} (round ${round})`)
  }
  t.pass()
})

t.test(`${ROUNDS} random replies give an exception with a code, or none (SEED=${seed})`, async (t) => {
  const random = new Random(seed)
  const codes = new Set<string | undefined>()
  for (let round = 0; round < ROUNDS; round++) {
    using parcel = Parcel.obtain()
    parcel.writeInt(random.pick([-random.below(12), -127, -128, -129, interestingInt(random)]))
    if (random.chance(70)) parcel.writeString('m')
    const rest = noise(random)
    const bytes = Buffer.concat([parcel.marshall(), rest])
    parcel.unmarshall(bytes, 0, bytes.length)
    parcel.setDataPosition(0)
    try {
      parcel.readException()
    } catch (error) {
      codes.add(errorCode(error))
    }
  }
  t.equal(codes.has(undefined), false, 'every exception has a code')
  t.ok(codes.has('ERR_SERVICE_SPECIFIC') && codes.has('ERR_BAD_PARCEL') && codes.has('ERR_REMOTE_ERROR'))
})
