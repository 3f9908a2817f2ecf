/**
 * The memory service: the seed's IMemoryService over one sealed region of 4 bytes, with watching and control on the same
 * binder. Writing is a call, checked against the caller's identity; reading is no business of this process.
 */
import {
  Binder,
  type FileDescriptor,
  IMemoryService,
  type ImplementationOf,
  MemoryFile,
  type Parcel,
  type ParcelFileDescriptor,
  SecurityError,
} from '@memsvc/shared'
import { asksCallerAtOnce, REGION_BYTES, type RegionStatus, regionStatus, withoutStack } from '@memsvc/shared/internal'
import { withinDescriptorLimit } from './descriptor-limit.ts'

/** The name that the region shows in /proc/PID/maps, as the seed's. */
const REGION_NAME = 'Ashmem'

/** What is below belongs to IMemoryService. */
const LAST_OWN_CODE = 1000

export interface MemoryServiceOptions {
  readonly initialValue: number
  readonly mayWrite: (uid: number) => boolean
  /** More interfaces on the same binder, by the codes they serve: above 1,000. */
  readonly extensions: ReadonlyMap<number, Binder>
  /** Told after the value has become another. */
  readonly onChange: () => void
}

export class MemoryService extends IMemoryService.Stub implements ImplementationOf<typeof IMemoryService> {
  readonly #file: MemoryFile
  readonly #options: MemoryServiceOptions

  /** Makes and seals the region. @throws errors of memfd_create(2), fallocate(2), mmap(2) */
  constructor(options: MemoryServiceOptions) {
    super()
    this.#options = options
    this.#file = new MemoryFile(REGION_NAME, REGION_BYTES)
    this.#file.writeInt32BE(0, options.initialValue)
    // Sealed before anybody else can see it: a mapping made earlier could be made writable later.
    this.#file.shareReadOnly().close()
  }

  override get [asksCallerAtOnce](): boolean {
    return true
  }

  get value(): number {
    return this.#file.readInt32BE(0)
  }

  /** Belongs to the service. */
  get region(): FileDescriptor {
    return this.#file.getFileDescriptor()
  }

  get regionStatus(): RegionStatus {
    return regionStatus(this.region)
  }

  /** A fresh read-only descriptor per caller; the stub closes it once it is sent. @throws ERR_LIMIT none is left */
  getFileDescriptor(): ParcelFileDescriptor {
    return withinDescriptorLimit(() => this.#file.shareReadOnly())
  }

  setValue(value: number): void {
    const uid = Binder.getCallingUid()
    if (!this.#options.mayWrite(uid))
      throw withoutStack(() => new SecurityError(`uid ${uid} may read this value but not set it`))
    if (value === this.value) return
    this.#file.writeInt32BE(0, value)
    this.#options.onChange()
  }

  /** Unmaps the region. Clients that have it mapped keep its last value. */
  close(): void {
    this.#file.close()
  }

  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    const extension = code > LAST_OWN_CODE ? this.#options.extensions.get(code) : undefined
    if (extension !== undefined) return extension.onTransact(code, data, reply, flags)
    return super.onTransact(code, data, reply, flags)
  }
}
