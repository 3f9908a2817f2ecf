/**
 * The value over a restart and a crash. systemd keeps a descriptor of the region in its store (sd_notify(3), FDSTORE) and
 * hands it to the next daemon. By then the region is frozen: only the mapping of the dead process could write to it. So it
 * gives its value to a new region, and is dropped.
 *
 * A region is kept as NAME@GENERATION: two daemons, one after the other, must not use the same name, because removing a
 * name removes everything under it. Should both regions be there after a crash between keeping the new one and dropping
 * the old one, the higher generation is the newer.
 */
import { type FileDescriptor, MemoryFile, ParcelFileDescriptor, UnsafeRegionError } from '@memsvc/shared'
import { REGION_BYTES } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import type { NamedFd } from './inherited-descriptors.ts'
import type { NotifySocket } from './notify-socket.ts'

interface KeptRegion {
  /** In the store. */
  readonly name: string
  readonly service: string
  readonly generation: number
  readonly region: ParcelFileDescriptor
}

const KEPT_NAME = /^([^+]+)@(\d{1,15})$/

export class ValueStore {
  readonly #socket: NotifySocket | null
  readonly #logger: Logger
  #kept: readonly KeptRegion[]

  /**
   * @param socket of systemd; null: nobody keeps anything
   * @param inherited owned by the store from here on; what it did not keep itself is closed
   */
  constructor(socket: NotifySocket | null, inherited: readonly NamedFd[], logger: Logger) {
    this.#socket = socket
    this.#logger = logger
    this.#kept = inherited.flatMap(adoptRegion)
  }

  /** The value that the service had in its last life; 0 when nothing of it is left. */
  lastValue(service: string): number {
    const regions = this.#kept.filter((kept) => kept.service === service)
    const newest = regions.sort((a, b) => b.generation - a.generation)[0]
    if (newest === undefined) return 0
    try {
      return readValue(newest.region.getFileDescriptor())
    } catch (error) {
      this.#logger.error(
        { name: newest.name, err: error },
        'the region that systemd kept cannot be read: its value is lost',
      )
      return 0
    }
  }

  /**
   * Keeps this region from now on, and releases the earlier ones. If this fails, a crash loses the value, but nothing
   * else is lost.
   */
  keep(service: string, region: FileDescriptor): void {
    const generation = 1 + Math.max(0, ...this.#kept.map((kept) => kept.generation))
    try {
      // Memory is always readable: without FDPOLL=0 systemd would watch for its end.
      this.#socket?.deliver(`FDSTORE=1\nFDNAME=${service}@${generation}\nFDPOLL=0`, region)
      for (const { name } of this.#kept) this.#socket?.deliver(`FDSTOREREMOVE=1\nFDNAME=${name}`)
    } catch (error) {
      this.#logger.warn({ err: error }, 'systemd cannot keep the region: the value will not survive a restart')
    }
    this.close()
  }

  /** Closes the descriptors that came back. systemd keeps its own. Idempotent. */
  close(): void {
    for (const { region } of this.#kept) region.close()
    this.#kept = []
  }
}

function adoptRegion({ name, fd }: NamedFd): KeptRegion[] {
  const [, service, generation] = KEPT_NAME.exec(name) ?? []
  if (service === undefined) {
    fd.close()
    return []
  }
  return [{ name, service, generation: Number(generation), region: ParcelFileDescriptor.adoptFd(fd.release()) }]
}

/** @throws ERR_NOT_A_REGION, ERR_UNSAFE_REGION it is not what a memory service makes */
function readValue(region: FileDescriptor): number {
  const size = MemoryFile.getSize(region)
  if (size > REGION_BYTES) throw new UnsafeRegionError(`the region has ${size} bytes, not ${REGION_BYTES}`)
  const file = new MemoryFile(region, REGION_BYTES, 'r')
  try {
    return file.readInt32BE(0)
  } finally {
    file.deactivate()
  }
}
