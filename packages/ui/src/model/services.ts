/** The names of the registry, who serves them, and what they are. Looked at while somebody looks at the page. */
import { BinderProxy, IMemoryService, IStore, type ServiceManager } from '@memsvc/shared'
import { Deadline, listHolders } from '@memsvc/shared/internal'
import type { Connection } from './connection.ts'

export interface ListedService {
  readonly name: string
  readonly pid: number
  readonly uid: number
  /** `service`: something of somebody's own. */
  readonly kind: 'value' | 'store' | 'service'
  /** What its interface is called, as it says. */
  readonly descriptor: string | null
}

const LOOK_MS = 1000
/** More names than that are not shown. */
const MOST = 1000

export class Services {
  readonly #connection: Connection
  readonly #onList: (list: readonly ListedService[]) => void
  /** By name and process: what a service is does not change. */
  #known = new Map<string, ListedService>()
  #list: readonly ListedService[] = []
  #isLooking = false
  #timer: NodeJS.Timeout | undefined

  constructor(connection: Connection, onList: (list: readonly ListedService[]) => void) {
    this.#connection = connection
    this.#onList = onList
  }

  get list(): readonly ListedService[] {
    return this.#list
  }

  /** Somebody looks, or nobody does. */
  setWatched(isWatched: boolean): void {
    clearInterval(this.#timer)
    this.#timer = isWatched ? setInterval(() => void this.#look(), LOOK_MS) : undefined
    if (isWatched) void this.#look()
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      this.#show(await this.#ask())
    } catch {
      if (!this.#connection.signal.aborted) this.#show([]) // the registry is away
    } finally {
      this.#isLooking = false
    }
  }

  async #ask(): Promise<ListedService[]> {
    const deadline = new Deadline()
    const manager = await deadline.within(this.#connection.manager(), 'the registry')
    const found: ListedService[] = []
    for await (const { name, pid, uid } of listHolders(manager, deadline)) {
      found.push(this.#known.get(keyOf(name, pid)) ?? (await examine(manager, { name, pid, uid }, deadline)))
      if (found.length === MOST) break
    }
    this.#known = new Map(found.map((each) => [keyOf(each.name, each.pid), each]))
    return found
  }

  #show(list: readonly ListedService[]): void {
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return
    this.#list = list
    this.#onList(list)
  }
}

function keyOf(name: string, pid: number): string {
  return `${pid} ${name}`
}

async function examine(
  manager: ServiceManager,
  holder: { name: string; pid: number; uid: number },
  deadline: Deadline,
): Promise<ListedService> {
  const descriptor = await deadline.within(askDescriptor(manager, holder.name), holder.name).catch(() => null)
  const kind =
    descriptor === IMemoryService.DESCRIPTOR ? 'value' : descriptor === IStore.DESCRIPTOR ? 'store' : 'service'
  return { ...holder, kind, descriptor }
}

async function askDescriptor(manager: ServiceManager, name: string): Promise<string | null> {
  const binder = await manager.getService(name)
  try {
    return (await binder?.getInterfaceDescriptor()) ?? null
  } finally {
    if (binder instanceof BinderProxy) binder.close()
  }
}
