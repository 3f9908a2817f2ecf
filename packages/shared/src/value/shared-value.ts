/**
 * The value of a memory service for a client: found through the registry, mapped read-only, read at memory speed, and
 * followed across restarts of the daemon. It does what the `Client` activity of Android's sample does.
 */
import { dispose, inspected, introduce, keepFromCloning } from 'memfd-native'
import { type Given, givenInContext, NOT_GIVEN } from '../binder/calling-identity.ts'
import { withOptions } from '../binder/with-options.ts'
import { GONE } from '../channel/death.ts'
import { DEFAULT_SERVICE_NAME, IMemoryService, REGION_BYTES } from '../interfaces/memory-service.ts'
import { wrapOwnedFd } from '../os/file-descriptor.ts'
import { MemoryFile } from '../os/memory-file.ts'
import { detachOwned } from '../os/parcel-file-descriptor.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { closeBinder, isThere, onDeath, ServiceLink } from '../service-manager/service-link.ts'
import type { ServiceManager } from '../service-manager/service-manager.ts'
import { noService } from '../service-manager/service-name-errors.ts'
import { abortable } from '../util/abortable.ts'
import { checkBoolean, checkNotNull, checkOptions, checkSignal, show } from '../util/check.ts'
import { ClosedError, DeadObjectError, InvalidArgTypeError, ServiceNotFoundError } from '../util/errors.ts'
import { ANSWER_TIMEOUT_MS, type CallOptions, checkCallOptions } from '../util/patience.ts'
import { reportCallbackError } from '../util/report.ts'
import { ValueChanges, type ValueChangesOptions } from './value-changes.ts'

type Callback = () => void

/**
 * The int32 of a memory service, which you read from shared memory. Until `close()` it owns its binder, a descriptor
 * and a read-only mapping. If the service dies, it waits for the next one, and maps that one's region instead. It does
 * not keep the process alive.
 */
export class SharedValue {
  /** null: it is not looked for when it dies. */
  readonly #link: ServiceLink | null
  #binder: IBinder
  #file: MemoryFile
  #isAway = false
  #isClosed = false
  readonly #loops = new Set<ValueChanges>()
  readonly #callbacks: Record<'stale' | 'live', Given<Callback>> = { stale: NOT_GIVEN, live: NOT_GIVEN }

  private constructor(binder: IBinder, file: MemoryFile, link: ServiceLink | null) {
    this.#binder = binder
    this.#file = file
    this.#link = link
    keepFromCloning(this)
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    if (this.#isClosed) return introduce(this, { state: 'closed' })
    return introduce(this, { value: this.get(), state: this.isLive ? 'live' : 'stale' })
  }

  /**
   * Finds the service, gets its descriptor, checks it and maps it. If the service dies, this manager finds the next
   * one. The manager is not closed with the value.
   * @throws ERR_SERVICE_NOT_FOUND; AbortError; ERR_NOT_A_REGION or ERR_UNSAFE_REGION if the service sends something
   *   else; otherwise as getService
   */
  static async open(
    manager: ServiceManager,
    name: string = DEFAULT_SERVICE_NAME,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<SharedValue> {
    checkNotNull('manager', manager)
    if (typeof manager.getService !== 'function') {
      throw new InvalidArgTypeError(`manager must be a ServiceManager, got ${show(manager)}`)
    }
    checkOptions('options', options)
    checkSignal(options.signal)
    let value: SharedValue | undefined
    const link: ServiceLink = new ServiceLink(manager, name, {
      onUp: async (binder) => {
        const file = await mapRegion(binder)
        if (value !== undefined) value.#take(binder, file)
        else if (link.isClosed)
          file.close() // it was given up meanwhile
        else value = new SharedValue(binder, file, link)
      },
      onReady: () => {
        if (value !== undefined) value.#onReady()
      },
      onDown: () => {
        if (value !== undefined) value.#onDown()
      },
    })
    try {
      if (!(await abortable(link.find(), options.signal))) throw noService(name, manager.path)
      return value as unknown as SharedValue
    } catch (error) {
      link.close()
      value?.close()
      throw error
    }
  }

  /**
   * Like open, for a service that you have found already. The value owns the binder from now on, and closes it. It does
   * not follow a restart of the service, because it knows no registry.
   */
  static async of(binder: IBinder): Promise<SharedValue> {
    checkNotNull('binder', binder)
    const value = new SharedValue(binder, await mapOrClose(binder), null)
    try {
      onDeath(binder, () => value.#onDown())
      return value
    } catch (error) {
      value.close()
      throw error
    }
  }

  /** The service; while it is away, the last one, which is dead. It belongs to this object. */
  get binder(): IBinder {
    return this.#binder
  }

  /**
   * The region, read-only, with its descriptor. It belongs to this object, which closes it when it maps the next one.
   */
  get file(): MemoryFile {
    return this.#file
  }

  /**
   * The current value, read from the mapping without a call or a lock. While `isLive` is false, it is the last value of
   * a service that is gone.
   */
  get(): number {
    return this.#file.readInt32BE(0)
  }

  /**
   * Whether `get()` returns the service's current value: false from the death of the service until the next region is
   * mapped, and after `close()`.
   */
  get isLive(): boolean {
    return !this.#isClosed && !this.#isAway && (this.#link === null ? isThere(this.#binder) : this.#link.isThere)
  }

  /**
   * Called when the service has died: from now on `get()` returns its last value. It runs in the async context in which
   * you set this.
   */
  get onStale(): Callback | null {
    return this.#callbacks.stale.given
  }

  set onStale(callback: Callback | null) {
    this.#callbacks.stale = givenInContext('onStale', callback)
  }

  /**
   * Called when the next region is mapped: from now on `get()` returns the value of the new service. It runs in the
   * async context in which you set this.
   */
  get onLive(): Callback | null {
    return this.#callbacks.live.given
  }

  set onLive(callback: Callback | null) {
    this.#callbacks.live = givenInContext('onLive', callback)
  }

  /**
   * Asks the service to set the value.
   * @throws ERR_SECURITY; ERR_OUT_OF_RANGE if it is not an int32; ERR_DEAD_OBJECT if the service is away; ERR_TIMEOUT
   *   or AbortError, and the value may have been set nevertheless; otherwise as BinderProxy.transact
   */
  async set(value: number, options: CallOptions = {}): Promise<void> {
    checkCallOptions(options)
    if (this.#isAway) throw new DeadObjectError(GONE)
    await withOptions(IMemoryService.asInterface(this.#binder), options).setValue(value)
  }

  /**
   * The value at once, and again after changes. If it changes several times quickly, you may get only the last value,
   * but you always get that. The loop continues when the service restarts, and gives the new value if it differs. It
   * ends without an error if `signal` fires or you leave it. It ends with ERR_DEAD_OBJECT if the value is closed, or if
   * the service dies and you gave `endOnDeath` or made the value with `of`. It keeps the process alive.
   * @throws by next(): ERR_UNSUPPORTED_OPERATION if the service cannot be watched; ERR_LIMIT if it has too many
   *   watchers; ERR_CLOSED
   */
  changes(options: ValueChangesOptions = {}): AsyncGenerator<number, void, undefined> {
    checkOptions('options', options)
    checkSignal(options.signal)
    if (options.endOnDeath !== undefined) checkBoolean('endOnDeath', options.endOnDeath)
    const loop = new ValueChanges(this.#source(), options)
    if (this.#isClosed) loop.end(new ClosedError('this value was closed'))
    else this.#loops.add(loop)
    return loop
  }

  /** Unmaps the region and closes the channel; loops over `changes()` end with an error. Idempotent. */
  close(): void {
    this.#isClosed = true
    for (const loop of [...this.#loops]) loop.end(new DeadObjectError('this value was closed'))
    this.#file.close()
    this.#link?.close()
    closeBinder(this.#binder)
  }

  /** As {@link close}, for `using`. */
  [dispose](): void {
    this.close()
  }

  #source() {
    const self = this
    return {
      get binder() {
        return self.#isAway ? null : self.#binder
      },
      mayReturn: this.#link !== null,
      get: () => this.get(),
      keepLooking: () => this.#link?.keepLooking() ?? (() => undefined),
      onEnd: (loop: ValueChanges) => void this.#loops.delete(loop),
    }
  }

  /** Takes the file over: the one before is unmapped. */
  #take(binder: IBinder, file: MemoryFile): void {
    if (this.#isClosed) {
      file.close()
      return
    }
    const before = this.#file
    this.#binder = binder
    this.#file = file
    before.close()
  }

  #onReady(): void {
    if (!this.#isAway) return
    this.#isAway = false
    this.#call('live')
    for (const loop of [...this.#loops]) loop.look()
  }

  #onDown(): void {
    if (this.#isClosed) return
    this.#isAway = true
    this.#call('stale')
    for (const loop of [...this.#loops]) loop.look()
  }

  #call(which: 'stale' | 'live'): void {
    try {
      this.#callbacks[which].call?.()
    } catch (error) {
      reportCallbackError(`on${which === 'stale' ? 'Stale' : 'Live'} of a value`, error)
    }
  }
}

/** As mapRegion. The binder is closed if this throws. */
async function mapOrClose(binder: IBinder): Promise<MemoryFile> {
  try {
    return await mapRegion(binder)
  } catch (error) {
    closeBinder(binder)
    throw error
  }
}

/** The file owns the descriptor that came. */
async function mapRegion(binder: IBinder): Promise<MemoryFile> {
  const service = withOptions(IMemoryService.asInterface(binder), { timeoutMs: ANSWER_TIMEOUT_MS })
  const descriptor = await service.getFileDescriptor()
  if (descriptor === null) throw new ServiceNotFoundError('the service has no region')
  const fd = wrapOwnedFd(detachOwned(descriptor))
  try {
    return new MemoryFile(fd, REGION_BYTES, 'r')
  } catch (error) {
    fd.close()
    throw error
  }
}
