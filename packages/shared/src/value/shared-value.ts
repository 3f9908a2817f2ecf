/**
 * The value of a memory service, as a client sees it: found by the registry, mapped read-only, read at memory speed, and
 * followed over restarts of the daemon. What the seed's `Client` activity did by hand.
 */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { readsCallerSynchronously } from '../binder/calling-identity.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { DEFAULT_SERVICE_NAME, IMemoryService, REGION_BYTES } from '../interfaces/memory-service.ts'
import { IWatch, IWatcher } from '../interfaces/watch.ts'
import { wrapOwnedFd } from '../os/file-descriptor.ts'
import { MemoryFile } from '../os/memory-file.ts'
import { detachOwned } from '../os/parcel-file-descriptor.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { ServiceManager } from '../service-manager/service-manager.ts'
import { checkNotNull, show } from '../util/check.ts'
import {
  DeadObjectError,
  errorCode,
  InvalidArgTypeError,
  ServiceNotFoundError,
  UnsupportedOperationError,
} from '../util/errors.ts'
import { Signal } from '../util/signal.ts'

/** The int32 of a memory service, mapped read-only. Owns its binder, a descriptor and a mapping until `close()`. */
export class SharedValue {
  readonly #binder: IBinder
  readonly #file: MemoryFile
  /** Of the loops over `changes()` under way, to end them at `close()`. */
  readonly #loops = new Set<Signal>()

  private constructor(binder: IBinder, file: MemoryFile) {
    this.#binder = binder
    this.#file = file
  }

  /**
   * Finds the service, takes its descriptor, checks and maps it.
   * @throws ERR_SERVICE_NOT_FOUND; ERR_NOT_A_REGION or ERR_UNSAFE_REGION it answers something else; as getService
   */
  static async open(manager: ServiceManager, name: string = DEFAULT_SERVICE_NAME): Promise<SharedValue> {
    checkNotNull('manager', manager)
    if (typeof manager.getService !== 'function') {
      throw new InvalidArgTypeError(`manager must be a ServiceManager, got ${show(manager)}`)
    }
    const binder = await manager.getService(name)
    if (binder === null) throw new ServiceNotFoundError(`No service published for: ${name}`)
    return SharedValue.of(binder)
  }

  /** As open, of a service that is found already. Owns the binder from here on: it is closed with the value. */
  static async of(binder: IBinder): Promise<SharedValue> {
    checkNotNull('binder', binder)
    try {
      return new SharedValue(binder, await mapRegion(binder))
    } catch (error) {
      closeBinder(binder)
      throw error
    }
  }

  /** The service. Belongs to this object. */
  get binder(): IBinder {
    return this.#binder
  }

  /** The region: read-only, with its descriptor. Belongs to this object. */
  get file(): MemoryFile {
    return this.#file
  }

  /** The value now, read from the mapping: no call, no lock. It is the last one for ever once the service is dead. */
  get(): number {
    return this.#file.readInt32BE(0)
  }

  /** Asks the service to set the value. @throws ERR_SECURITY; ERR_OUT_OF_RANGE no int32; as BinderProxy.transact */
  async set(value: number): Promise<void> {
    await IMemoryService.asInterface(this.#binder).setValue(value)
  }

  /**
   * The value at once and after every change that settles; the last one is never missed. Ends with ERR_DEAD_OBJECT when
   * the service dies, and quietly when `signal` fires or the loop is left.
   * @throws ERR_UNSUPPORTED_OPERATION the service cannot be watched
   */
  async *changes(options: { signal?: AbortSignal } = {}): AsyncGenerator<number, void, undefined> {
    const { signal } = options
    const news = new Signal()
    const watcher = new Watcher(news)
    const watch = IWatch.asInterface(this.#binder)
    const death = { binderDied: () => news.raise() }
    await startWatching(() => watch.watch(watcher))
    this.#binder.linkToDeath(death)
    this.#loops.add(news)
    try {
      yield this.get()
      while (await news.wait({ signal })) {
        if (!this.#binder.isBinderAlive()) throw new DeadObjectError('the service is gone')
        const value = this.get()
        yield value
        // Read once more after it is acknowledged: what changes from then on is told again.
        await watch.acknowledge(watcher)
        if (this.get() !== value) news.raise()
      }
    } finally {
      this.#loops.delete(news)
      this.#binder.unlinkToDeath(death)
      await stopWatching(() => watch.unwatch(watcher))
    }
  }

  /** Unmaps the region and closes the channel; loops over `changes()` end with an error. Idempotent. */
  close(): void {
    this.#file.close()
    closeBinder(this.#binder)
    for (const news of this.#loops) news.raise()
  }

  /** As {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }
}

class Watcher extends IWatcher.Stub implements ImplementationOf<typeof IWatcher> {
  readonly #news: Signal

  constructor(news: Signal) {
    super()
    this.#news = news
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  onChange(): void {
    this.#news.raise()
  }
}

/** The file owns the descriptor that came. */
async function mapRegion(binder: IBinder): Promise<MemoryFile> {
  const descriptor = await IMemoryService.asInterface(binder).getFileDescriptor()
  if (descriptor === null) throw new ServiceNotFoundError('the service has no region')
  const fd = wrapOwnedFd(detachOwned(descriptor))
  try {
    return new MemoryFile(fd, REGION_BYTES, 'r')
  } catch (error) {
    fd.close()
    throw error
  }
}

async function startWatching(watch: () => unknown): Promise<void> {
  try {
    await watch()
  } catch (error) {
    if (errorCode(error) !== 'ERR_UNKNOWN_TRANSACTION') throw error
    throw new UnsupportedOperationError('this service cannot be watched', { cause: error })
  }
}

/** Whatever ended the watching, that is what the loop should hear of; and a service that is gone has no watchers. */
async function stopWatching(unwatch: () => unknown): Promise<void> {
  try {
    await unwatch()
  } catch {
    // it never watched, or is gone
  }
}

/** A service of this process goes on serving others. */
function closeBinder(binder: IBinder): void {
  if (binder instanceof BinderProxy) binder.close()
}
