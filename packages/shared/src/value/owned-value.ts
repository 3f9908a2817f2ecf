/**
 * The owner's half of a value: one int32 in a sealed region, which clients read and watch with `SharedValue`. It does
 * what `MemoryService` of Android's sample does, and adds watching. The client's half is `shared-value.ts`.
 */
import process from 'node:process'
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import type { Binder } from '../binder/binder.ts'
import { type Caller, type Given, givenInContext, inContext, NOT_GIVEN } from '../binder/calling-identity.ts'
import { REGION_BYTES } from '../interfaces/memory-service.ts'
import { MemoryFile } from '../os/memory-file.ts'
import type { Activity } from '../util/activity.ts'
import { checkFunction, checkInt32, checkOptions } from '../util/check.ts'
import { callTime } from '../util/packet-clock.ts'
import { wallClock } from '../util/timers.ts'
import { ValueBinder } from './value-binder.ts'
import { Watchers } from './watchers.ts'

/** The name that the region shows in /proc/PID/maps, as the seed's. */
const REGION_NAME = 'Ashmem'

type OnChange = (value: number) => void

/** The initial value, and who may change it. */
export interface OwnedValueOptions {
  /** -2147483648 to 2147483647; default 0. */
  initialValue?: number
  /**
   * Returns true if this caller may set the value. The caller's uid and pid come from the kernel. By default the user
   * of this process and root may. Everybody who may connect can read the value.
   */
  mayWrite?: (caller: Caller) => boolean
}

/**
 * An int32 that this process owns and other processes read from shared memory. Until `close()` it owns the region, its
 * descriptor and the only writable mapping. Publish its `binder` with `ServiceManager.addService`; clients open it with
 * `SharedValue.open`.
 */
export class OwnedValue {
  /** The service of this object: publish it with `ServiceManager.addService`. It belongs to this object. */
  readonly binder: Binder
  readonly #file: MemoryFile
  readonly #watchers = new Watchers()
  #writes = 0
  #changedAt = wallClock()
  #onChange: Given<OnChange> = NOT_GIVEN

  /**
   * Makes and seals the region.
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE an option; errors of memfd_create(2), fallocate(2), mmap(2)
   */
  constructor(options: OwnedValueOptions = {}) {
    checkOptions('options', options)
    const { initialValue = 0, mayWrite = isOwnerOrRoot } = options
    checkInt32('initialValue', initialValue)
    checkFunction('mayWrite', mayWrite)
    this.#file = new MemoryFile(REGION_NAME, REGION_BYTES)
    keepFromCloning(this)
    this.#file.writeInt32BE(0, initialValue)
    // Sealed before anybody else can see it: a mapping made earlier could be made writable later.
    try {
      this.#file.shareReadOnly().close()
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.binder = new ValueBinder({
      region: this.#file,
      watchers: this.#watchers,
      mayWrite: mayWrite === isOwnerOrRoot ? mayWrite : inContext('memsvc:mayWrite', mayWrite),
      set: (value) => this.set(value),
    })
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, {
      value: this.#file.isDeactivated() ? undefined : this.get(),
      watchers: this.#watchers.size,
      state: this.#file.isDeactivated() ? 'closed' : 'open',
    })
  }

  /**
   * The current value.
   * @throws ERR_DEACTIVATED after close()
   */
  get(): number {
    return this.#file.readInt32BE(0)
  }

  /**
   * Sets the value, and notifies the watchers. Setting the same value again is not a change.
   * @throws ERR_OUT_OF_RANGE or ERR_INVALID_ARG_TYPE if it is not an int32; ERR_DEACTIVATED after close(). Then the old
   *   value stays
   */
  set(value: number): void {
    if (value === this.get()) {
      this.#writes += 1
      return
    }
    this.#file.writeInt32BE(0, value)
    this.#writes += 1
    this.#changedAt = callTime()
    this.#watchers.changed()
    this.#onChange.call?.(value)
  }

  /** Called with the new value after each change, whoever made it, in the async context in which you set this. */
  get onChange(): OnChange | null {
    return this.#onChange.given
  }

  set onChange(callback: OnChange | null) {
    this.#onChange = givenInContext('onChange', callback)
  }

  /** The number of callbacks that are notified of changes. */
  get watchers(): number {
    return this.#watchers.size
  }

  /** How often the value was set, and the time of its last change: milliseconds since 1970. */
  get activity(): Activity {
    return { writes: this.#writes, changedAt: this.#changedAt }
  }

  /** The region, which only this process can write. It belongs to this object. */
  get file(): MemoryFile {
    return this.#file
  }

  /**
   * Unmaps the region. Clients that have it mapped keep its last value. The binder stays published until you close its
   * manager. Idempotent.
   */
  close(): void {
    this.#file.close()
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }
}

function isOwnerOrRoot({ uid }: Caller): boolean {
  return uid === 0 || uid === process.getuid?.()
}
