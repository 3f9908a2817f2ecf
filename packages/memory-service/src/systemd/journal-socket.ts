/** The journal's own protocol: a line of the log with its fields, so that `journalctl MEMSVC_UID=1000` finds it. systemd.journal-fields(7) */
import { connect, constants, OwnedFd, sendmsg, socket } from 'memfd-native'

/** A line as pino writes it. */
type LogRecord = Readonly<Record<string, unknown>>

const PATH = '/run/systemd/journal/socket'
/** As JSON has them, and what the journal has itself. */
const LEFT_OUT = ['level', 'time', 'pid', 'msg']
const MOST_FIELDS = 20

export class JournalSocket {
  readonly #fd: OwnedFd

  private constructor(fd: OwnedFd) {
    this.#fd = fd
  }

  /** Null: it cannot be reached from here. */
  static tryOpen(path = PATH): JournalSocket | null {
    using fd = socket(constants.SOCK_DGRAM)
    try {
      connect(fd, path)
      return new JournalSocket(OwnedFd.adopt(fd.release()))
    } catch {
      return null
    }
  }

  /**
   * Never waits.
   * @throws EAGAIN if the journal has no room; EMSGSIZE; ECONNREFUSED if the journal was restarted, and this socket is
   *   useless
   */
  send(entry: { message: string; priority: number; record: LogRecord }): void {
    sendmsg(this.#fd, journalEntry(entry), [], constants.MSG_DONTWAIT)
  }

  close(): void {
    this.#fd.close()
  }
}

/** One datagram: a field is `NAME=value`, and where a value has lines its length goes before it. */
function journalEntry({ message, priority, record }: { message: string; priority: number; record: LogRecord }): Buffer {
  const own = Object.entries(record).filter(([key]) => !LEFT_OUT.includes(key))
  const fields: [string, string][] = [
    ['MESSAGE', message],
    ['PRIORITY', String(priority)],
    ['SYSLOG_IDENTIFIER', 'memsvc'],
    ...own.slice(0, MOST_FIELDS).map(([key, value]): [string, string] => [fieldName(key), fieldValue(value)]),
  ]
  return Buffer.concat(fields.map(([name, value]) => encodeField(name, value)))
}

/** `MEMSVC_PEER_UID`: of capitals, digits and underscores. */
function fieldName(key: string): string {
  const words = key.replace(/([a-z])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]+/g, '_')
  return `MEMSVC_${words}`.toUpperCase().slice(0, 64)
}

function fieldValue(value: unknown): string {
  if (typeof value === 'string') return value
  const { message } = (value ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message : JSON.stringify(value)
}

function encodeField(name: string, value: string): Buffer {
  if (!value.includes('\n')) return Buffer.from(`${name}=${value}\n`)
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')])
}
