/**
 * An int32 of the copy under a name of its own, with the interface of Android's sample (IMemoryService). A client that
 * reads, sets and watches a value need not know about stores and clusters. It reads from a region, and its changes go
 * to the cluster.
 */
import { Binder, IMemoryService, type ImplementationOf, OwnedValue, type Parcel, SecurityError } from '@memsvc/shared'
import { type Caller, numbered } from '@memsvc/shared/internal'

/** What it is made of. */
export interface CopiedValueOptions {
  /** Of the value, and of its key in the copy. */
  readonly name: string
  readonly mayWrite: (caller: Caller, key: string) => boolean
  /** In the cluster, and in the copy when it resolves. */
  readonly set: (key: string, value: number) => Promise<void>
}

/** An int32 of the copy, published as a value of its own. It owns a region until `close()`. */
export class CopiedValue {
  /** The name under which to publish it. */
  readonly name: string
  /** The service: publish it while {@link isThere}. */
  readonly binder: Binder
  readonly #owned = new OwnedValue()
  #isThere = false
  /** Called when {@link isThere} changes. */
  onPresence: ((isThere: boolean) => void) | null = null

  /** Makes and seals the region. */
  constructor(options: CopiedValueOptions) {
    this.name = options.name
    this.binder = new CopiedValueService(options, this.#owned)
  }

  /** Whether the key has an int32. If not, the region keeps the last one, and it should not be published. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** @param value the current value of the key; anything but an int32 counts as absent */
  take(value: unknown): void {
    const isThere = typeof value === 'number' && Number.isInteger(value) && value === (value | 0)
    if (isThere) this.#owned.set(value + 0)
    if (isThere === this.#isThere) return
    this.#isThere = isThere
    this.onPresence?.(isThere)
  }

  /** Ends the region. Processes that have mapped it keep its last value. */
  close(): void {
    this.#owned.close()
  }
}

class CopiedValueService extends IMemoryService.Stub implements ImplementationOf<typeof IMemoryService> {
  readonly #options: CopiedValueOptions
  readonly #owned: OwnedValue

  constructor(options: CopiedValueOptions, owned: OwnedValue) {
    super()
    this.#options = options
    this.#owned = owned
  }

  /** Never called: the owned value's own service answers. */
  getFileDescriptor(): null {
    return null
  }

  /** Answered when it is committed and here. @throws ERR_SECURITY; ERR_READ_ONLY, ERR_TIMEOUT, ERR_LIMIT as a change of the store */
  async setValue(value: number): Promise<void> {
    const { name, mayWrite, set } = this.#options
    const caller = { uid: Binder.getCallingUid(), pid: Binder.getCallingPid() }
    if (mayWrite(caller, name) !== true) {
      throw new SecurityError(`uid ${caller.uid} may read this value but not set it`)
    }
    try {
      await set(name, value)
    } catch (error) {
      throw numbered(error)
    }
  }

  /** Setting is ours; the rest, watching included, is the owned value's. */
  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
    return code === IMemoryService.TRANSACTION_setValue
      ? super.onTransact(code, data, reply, flags)
      : this.#owned.binder.onTransact(code, data, reply, flags)
  }
}
