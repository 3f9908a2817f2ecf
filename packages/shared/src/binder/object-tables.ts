/**
 * The objects of one channel. Exports: binders of ours that the peer holds, by our number. Imports: proxies of the
 * peer's binders, by its number, held weakly: when a proxy is collected its references are given back.
 */
import { CHANNEL_LIMITS } from '../channel/limits.ts'
import { Violation } from '../channel/message.ts'
import type { Binder } from './binder.ts'
import type { BinderProxy } from './binder-proxy.ts'

interface Export {
  readonly binder: Binder
  /** References that the peer has been sent and has not given back. */
  references: number
}

export class Exports {
  readonly #byNumber = new Map<number, Export>()
  readonly #numbers = new Map<Binder, number>()
  #lastNumber = 0

  get size(): number {
    return this.#byNumber.size
  }

  /** The binder's number; the peer holds one more reference. Taken back by `release` if the message does not leave. */
  add(binder: Binder): number {
    const known = this.#numbers.get(binder)
    const number = known ?? ++this.#lastNumber
    if (known === undefined) {
      this.#numbers.set(binder, number)
      this.#byNumber.set(number, { binder, references: 0 })
    }
    ;(this.#byNumber.get(number) as Export).references += 1
    return number
  }

  get(number: number): Binder | undefined {
    return this.#byNumber.get(number)?.binder
  }

  /** @throws Violation for more than was sent */
  release(number: number, count: number): void {
    const entry = this.#byNumber.get(number)
    if (entry === undefined || count < 1 || count > entry.references) {
      throw new Violation(`${count} references to object ${number} came back, which were never sent`)
    }
    entry.references -= count
    if (entry.references > 0) return
    this.#byNumber.delete(number)
    this.#numbers.delete(entry.binder)
  }

  clear(): void {
    this.#byNumber.clear()
    this.#numbers.clear()
  }
}

interface Import {
  readonly proxy: WeakRef<BinderProxy>
  /** References that the peer counts for us. */
  references: number
}

let forget: (imports: Imports, number: number, entry: Import) => void

/** One for all channels: a registry of its own would be the largest thing that an idle channel has. */
const collected = new FinalizationRegistry<{ imports: Imports; number: number; entry: Import }>(
  ({ imports, number, entry }) => forget(imports, number, entry),
)

export class Imports {
  readonly #byNumber = new Map<number, Import>()
  readonly #release: (number: number, references: number) => void

  /** @param release gives references back to the peer */
  constructor(release: (number: number, references: number) => void) {
    this.#release = release
  }

  static {
    forget = (imports, number, entry) => imports.#forget(number, entry)
  }

  /** The peer's objects that are held here, and those collected but not given back yet. */
  get size(): number {
    return this.#byNumber.size
  }

  /** The one proxy of the peer's object, made if it is new; one more reference has come. @throws Violation */
  add(number: number, make: () => BinderProxy): BinderProxy {
    const entry = this.#byNumber.get(number)
    const proxy = entry?.proxy.deref()
    if (entry !== undefined && proxy !== undefined) {
      entry.references += 1
      return proxy
    }
    const { limit } = CHANNEL_LIMITS.proxies
    if (this.#byNumber.size >= limit) throw new Violation(`more than ${limit} objects on one channel`)
    return this.#remember(number, make(), (entry?.references ?? 0) + 1)
  }

  /** Gives all references of a proxy back now, when it is closed. */
  drop(number: number): void {
    const entry = this.#byNumber.get(number)
    if (entry !== undefined) this.#forget(number, entry)
  }

  /** The proxies that are still in use. */
  *proxies(): Generator<BinderProxy> {
    for (const { proxy } of this.#byNumber.values()) {
      const live = proxy.deref()
      if (live !== undefined) yield live
    }
  }

  #remember(number: number, proxy: BinderProxy, references: number): BinderProxy {
    const entry = { proxy: new WeakRef(proxy), references }
    this.#byNumber.set(number, entry)
    collected.register(proxy, { imports: this, number, entry }, entry)
    return proxy
  }

  #forget(number: number, entry: Import): void {
    // Not if the object came again meanwhile: its new proxy took the references over.
    if (this.#byNumber.get(number) !== entry) return
    this.#byNumber.delete(number)
    collected.unregister(entry)
    this.#release(number, entry.references)
  }
}
