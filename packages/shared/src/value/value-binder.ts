/**
 * The service of an owned value: IMemoryService of Android's sample, with IWatch on the same binder. Writing is a call,
 * checked against the caller's identity. Reading does not involve this process.
 */
import { type Caller, callingProcess, readsCallerSynchronously } from '../binder/calling-identity.ts'
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

/** IWatch's are a range of their own: every call asks whether it is one of them, and a Set would have to be searched. */
const WATCH_CODES = Object.values(IWatch.methods).map(({ code }) => code)
const FIRST_WATCH_CODE = Math.min(...WATCH_CODES)
const LAST_WATCH_CODE = Math.max(...WATCH_CODES)

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
    const { uid, pid } = callingProcess()
    if (this.#parts.mayWrite({ uid, pid }) !== true) throw mayNotSet(uid)
    this.#parts.set(value)
  }

  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    return isWatchCode(code)
      ? this.#watch.onTransact(code, data, reply, flags)
      : super.onTransact(code, data, reply, flags)
  }
}

/** Codes from this process can be any value, so they are converted to numbers before they are compared. */
function isWatchCode(code: unknown): boolean {
  return typeof code === 'number' && code >= FIRST_WATCH_CODE && code <= LAST_WATCH_CODE
}

function mayNotSet(uid: number): SecurityError {
  return withoutStack(() => new SecurityError(`uid ${uid} may read this value but not set it`))
}
