/**
 * `memclient read` where all is as on every day, without the library, which takes longer to load than the read takes. Two
 * calls of docs/protocol.md are all that this knows. Whatever else it meets it declines, and the tool begins again with the
 * library, which knows what is wrong and says so.
 */
import {
  checkMappable,
  connectRegistry,
  constants,
  Deadline,
  FdWatcher,
  findRegistry,
  HEADER_BYTES,
  isServiceName,
  KIND_HELLO,
  KIND_REPLY,
  KIND_TRANSACTION,
  Mapping,
  mmap,
  type OwnedFd,
  PROTOCOL_VERSION,
  patiently,
  readHeader,
  readObjects,
  readRegistryOptions,
  readTimeout,
  recvmsg,
  sendmsg,
  writeHeader,
} from '@memsvc/shared/internal'
import { type Invocation, readPlainArguments } from './arguments.ts'
import { formatValue, printDirectly } from './output.ts'

const { MSG_DONTWAIT } = constants
const STDOUT = 1
const REGION_BYTES = 4
/** A daemon that has not answered by then is the library's business, which waits longer. */
const PATIENCE_MS = 1000
/** A registry with too many at its door is as slow for the library, which only takes longer to load. */
const CROWD_PATIENCE_MS = 4000
/** No answer that is expected here is as long. */
const MAX_ANSWER_BYTES = 1024
/** Of the one call on a channel. */
const CALL_ID = 1
const NOTHING = { id: 0, object: 0, code: 0, oneway: false, dataSize: 0, objectCount: 0, here: 0, descriptorCount: 0 }

/** Shared by the calls of one read. */
interface Attempt {
  /** What the caller is to close. */
  readonly opened: OwnedFd[]
  readonly deadline: Deadline
}

/** A call, and the words that its answer begins with, up to the descriptor that it brings. */
interface Question {
  readonly code: number
  readonly token: string
  readonly args: readonly string[]
  readonly answer: readonly (number | 'any')[]
}

/**
 * @param begin as `main` has it, or now
 * @returns whether the value has been printed; otherwise the library is to begin
 */
export async function tryRead(argv: readonly string[], begin = performance.now()): Promise<boolean> {
  const asked = readPlainArguments(argv, new Map([['read', { operands: ['[name]'] }]]))
  if (asked === null) return false
  const opened: OwnedFd[] = []
  try {
    await printDirectly(
      STDOUT,
      () => process.stdout,
    )(await read(asked, new Deadline(readTimeout(asked.timeout), begin), opened))
    return true
  } catch {
    return false // also where printing failed: the library will fail at it again, and knows what to say
  } finally {
    for (const fd of opened) fd.close()
  }
}

/** @param opened what the caller is to close, also if this throws. @returns the line to print */
async function read(asked: Invocation, deadline: Deadline, opened: OwnedFd[]): Promise<string> {
  const [name = 'AnonymousSharedMemory'] = asked.operands
  if (!isServiceName(name)) throw new Error('a name for the library')
  const place = findRegistry(readRegistryOptions(asked.registry))
  const { fd: registry } = await patiently(() => connectRegistry(place), {
    patienceMs: Math.min(CROWD_PATIENCE_MS, deadline.leftMs),
  })
  opened.push(registry)
  const channel = await ask(registry, getService(name), { opened, deadline })
  const region = await ask(channel, GET_FILE_DESCRIPTOR, { opened, deadline })
  checkMappable(region, REGION_BYTES)
  const mapping = Mapping.map(region, REGION_BYTES, mmap.PROT_READ, mmap.MAP_SHARED)
  const value = mapping.readInt32BE(0)
  mapping.unmap()
  return formatValue(asked.json, name, value)
}

/** Found, at another process: takes descriptors or not, its pid and uid, and the end of a new channel. */
function getService(name: string): Question {
  return { code: 1, token: 'memsvc.IServiceManager', args: [name], answer: [0, 2, 'any', 'any', 'any'] }
}

/** A ParcelFileDescriptor without a status channel. */
const GET_FILE_DESCRIPTOR: Question = {
  code: 1,
  token: 'shy.luo.ashmem.IMemoryService',
  args: [],
  answer: [0, 1, 0],
}

/** The first call on a new channel. @returns the descriptor of its answer. @throws the answer is another one, or late */
async function ask(channel: OwnedFd, question: Question, { opened, deadline }: Attempt): Promise<OwnedFd> {
  // Never blocking: whose end a channel is, and what was done to it, nobody has checked.
  sendmsg(channel, message(KIND_HELLO, 0, PROTOCOL_VERSION), [], MSG_DONTWAIT)
  sendmsg(channel, message(KIND_TRANSACTION, CALL_ID, question.code, request(question)), [], MSG_DONTWAIT)
  await untilReadable(channel, Math.min(PATIENCE_MS, deadline.leftMs))
  const { data, fds, flags } = recvmsg(channel, MAX_ANSWER_BYTES, 1, MSG_DONTWAIT)
  opened.push(...fds)
  const [fd] = fds
  const header = readHeader(data, 0, data.length)
  const objects = readObjects(data, HEADER_BYTES, header, fds.length)
  const isExpected =
    flags === 0 &&
    header.kind === KIND_REPLY &&
    header.id === CALL_ID &&
    header.descriptorCount === 1 &&
    HEADER_BYTES + header.here === data.length &&
    objects.length === 1 &&
    objects[0]?.offset === question.answer.length * 4 &&
    question.answer.every((word, i) => word === 'any' || word === data.readInt32LE(HEADER_BYTES + 4 * i))
  if (!isExpected || fd === undefined) throw new Error('an answer for the library')
  return fd
}

function message(kind: number, id: number, code: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + body.length)
  writeHeader(bytes, 0, { ...NOTHING, kind, id, code, dataSize: body.length, here: body.length })
  body.copy(bytes, HEADER_BYTES)
  return bytes
}

/** The interface token, and what follows it. */
function request({ token, args }: Question): Buffer {
  const head = Buffer.alloc(12)
  head.writeInt32LE(-1, 4)
  head.writeInt32LE(0x53595354, 8)
  return Buffer.concat([head, ...[token, ...args].map(string16)])
}

/** Its length in units, the units, a zero unit, zeros up to a multiple of 4. */
function string16(text: string): Buffer {
  const bytes = Buffer.alloc(4 + (((text.length + 1) * 2 + 3) & ~3))
  bytes.writeInt32LE(text.length, 0)
  bytes.write(text, 4, 'utf16le')
  return bytes
}

function untilReadable(fd: OwnedFd, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = new FdWatcher(fd, 'readable', () => {
      clearTimeout(timer)
      watcher.close()
      resolve()
    })
    const timer = setTimeout(() => {
      watcher.close()
      reject(new Error('no answer'))
    }, patienceMs)
  })
}
