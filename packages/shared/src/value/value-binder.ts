/**
 * The service of an owned value: the seed's IMemoryService, with IWatch on the same binder. Writing is a call, checked
 * against the caller's identity; reading is no business of this process.
 */
import { Binder } from '../binder/binder.ts'
import { type Caller, readsCallerSynchronously } from '../binder/calling-identity.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { IMemoryService } from '../interfaces/memory-service.ts'
import { IWatch } from '../interfaces/watch.ts'
import type { MemoryFile } from '../os/memory-file.ts'
import type { ParcelFileDescriptor } from '../os/parcel-file-descriptor.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { withinDescriptorLimit } from '../quota/descriptor-limit.ts'
import { SecurityError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import { WatchService } from './watch-service.ts'
import type { Watchers } from './watchers.ts'

const WATCH_CODES: ReadonlySet<number> = new Set(Object.values(IWatch.methods).map(({ code }) => code))

export interface ValueBinderParts {
  /** Sealed for readers. Borrowed. */
  readonly region: MemoryFile
  readonly watchers: Watchers
  readonly mayWrite: (caller: Caller) => boolean
  readonly set: (value: number) => void
}

export class ValueBinder extends IMemoryService.Stub implements ImplementationOf<typeof IMemoryService> {
  readonly #parts: ValueBinderParts
  readonly #watch: WatchService

  constructor(parts: ValueBinderParts) {
    super()
    this.#parts = parts
    this.#watch = new WatchService(parts.watchers)
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  /** A fresh read-only descriptor per caller; the stub closes it once it is sent. @throws ERR_LIMIT none is left */
  getFileDescriptor(): ParcelFileDescriptor {
    return withinDescriptorLimit(() => this.#parts.region.shareReadOnly())
  }

  setValue(value: number): void {
    const caller = { uid: Binder.getCallingUid(), pid: Binder.getCallingPid() }
    if (this.#parts.mayWrite(caller) !== true) {
      throw withoutStack(() => new SecurityError(`uid ${caller.uid} may read this value but not set it`))
    }
    this.#parts.set(value)
  }

  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    return WATCH_CODES.has(code)
      ? this.#watch.onTransact(code, data, reply, flags)
      : super.onTransact(code, data, reply, flags)
  }
}
