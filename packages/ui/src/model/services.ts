/** The names of the registry, who serves them, and what they are. Looked at while somebody looks at the page. */
import { BinderProxy, errorCode, IMemoryService, IStore, type ServiceManager } from '@memsvc/shared'
import { Deadline, listHolders } from '@memsvc/shared/internal'
import type { Connection } from './connection.ts'
import { Heartbeat } from './heartbeat.ts'
import type { ListedService } from './shown.ts'

interface Holder {
  readonly name: string
  readonly pid: number
  readonly uid: number
}

/** More names than that are not shown. */
const MOST = 1000
/**
 * In seconds. By then the page shows that the answer is late; a question that ended earlier would only be asked again.
 */
const AS_LONG_AS_IT_TAKES = 1_000_000

export class Services {
  readonly #connection: Connection
  readonly #onList: (list: readonly ListedService[]) => void
  readonly #onSlow: (isSlow: boolean) => void
  /** What services say that they are, by name and process: it does not change. Null: it was asked. */
  readonly #descriptors = new Map<string, string | null>()
  #holders: readonly Holder[] = []
  #list: readonly ListedService[] = []
  #heartbeat: Heartbeat | null = null

  constructor(
    connection: Connection,
    told: { onList: (list: readonly ListedService[]) => void; onSlow: (isSlow: boolean) => void },
  ) {
    this.#connection = connection
    this.#onList = told.onList
    this.#onSlow = told.onSlow
  }

  get list(): readonly ListedService[] {
    return this.#list
  }

  /** Whether the registry is late. */
  get isSlow(): boolean {
    return this.#heartbeat?.isSlow ?? false
  }

  /** Somebody looks, or nobody does. */
  setWatched(isWatched: boolean): void {
    this.#heartbeat?.close()
    this.#heartbeat = isWatched ? new Heartbeat(() => this.#look(), this.#onSlow) : null
  }

  async #look(): Promise<void> {
    try {
      const manager = await this.#connection.manager()
      const deadline = new Deadline(AS_LONG_AS_IT_TAKES)
      const found: Holder[] = []
      for await (const { name, pid, uid } of listHolders(manager, deadline)) {
        found.push({ name, pid, uid })
        if (found.length === MOST) break
      }
      this.#take(found, manager)
    } catch (error) {
      if (errorCode(error) === 'ERR_TIMEOUT') throw error // what was there may be there still
      if (!this.#connection.signal.aborted) this.#take([], null) // the registry is away
    }
  }

  #take(holders: readonly Holder[], manager: ServiceManager | null): void {
    this.#holders = holders
    const keys = new Set(holders.map(keyOf))
    for (const key of this.#descriptors.keys()) if (!keys.has(key)) this.#descriptors.delete(key)
    if (manager !== null) {
      for (const holder of holders) if (!this.#descriptors.has(keyOf(holder))) void this.#examine(holder, manager)
    }
    this.#show()
  }

  async #examine(holder: Holder, manager: ServiceManager): Promise<void> {
    const key = keyOf(holder)
    this.#descriptors.set(key, null)
    try {
      const descriptor = await askDescriptor(manager, holder.name)
      if (this.#descriptors.has(key)) this.#descriptors.set(key, descriptor)
      this.#show()
    } catch (error) {
      // A service that may not be asked is not asked again; one that was gone may be back.
      if (errorCode(error) !== 'ERR_SECURITY') this.#descriptors.delete(key)
    }
  }

  #show(): void {
    const list = this.#holders.map((holder) => {
      const descriptor = this.#descriptors.get(keyOf(holder)) ?? null
      return { ...holder, kind: kindOf(descriptor), descriptor }
    })
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return
    this.#list = list
    this.#onList(list)
  }
}

function keyOf({ name, pid }: Holder): string {
  return `${pid} ${name}`
}

function kindOf(descriptor: string | null): ListedService['kind'] {
  if (descriptor === IMemoryService.DESCRIPTOR) return 'value'
  return descriptor === IStore.DESCRIPTOR ? 'store' : 'service'
}

async function askDescriptor(manager: ServiceManager, name: string): Promise<string | null> {
  const binder = await manager.getService(name)
  try {
    return (await binder?.getInterfaceDescriptor()) ?? null
  } finally {
    if (binder instanceof BinderProxy) binder.close()
  }
}
