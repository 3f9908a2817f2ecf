/**
 * Decides who may read and write which keys of a store. A process that maps an area can read all of it, so there is one
 * area for each set of readers. The first rule that has a key decides who may read it, and so in which area the key is.
 */
import { type Caller, KeyPatterns, withoutContext } from '@memsvc/shared/internal'
import type { Access } from './access.ts'
import type { People } from './people.ts'

export interface KeyRule {
  /** Keys, or their beginnings and a `*`. */
  readonly keys: readonly string[]
  /** Null: everybody. */
  readonly read: People | null
  /** Null: who may write the store, by its name. */
  readonly write: People | null
}

/** Keys with the same readers. */
export interface KeyArea {
  keys: string[]
  mayRead: (caller: Caller) => boolean
}

interface Plan {
  readonly keys: string[]
  readonly readers: People | null
}

const EVERYBODY = '*'
const ALL_OTHERS: KeyRule = { keys: ['*'], read: null, write: null }

export class StoreAccess {
  readonly #access: Access
  readonly #name: string
  /** By who reads: the same people have the same function, so that their area stays at a reload. */
  readonly #mayRead = new Map<string, (caller: Caller) => boolean>()
  #rules: readonly KeyRule[] = []
  #patterns = new KeyPatterns([])

  constructor(access: Access, name: string, rules: readonly KeyRule[]) {
    this.#access = access
    this.#name = name
    this.rules = rules
  }

  get rules(): readonly KeyRule[] {
    return this.#rules
  }

  /** May be exchanged at any time: the next write goes by them. */
  set rules(rules: readonly KeyRule[]) {
    this.#rules = forAllKeys(rules)
    this.#patterns = new KeyPatterns(this.#rules.map(({ keys }) => keys))
  }

  /** One for each set of readers, as far as the order of the rules allows. */
  get areas(): KeyArea[] {
    return this.areasBy(this.#rules)
  }

  /** The same by other rules. */
  areasBy(rules: readonly KeyRule[]): KeyArea[] {
    return plan(forAllKeys(rules)).map(({ keys, readers }) => ({ keys, mayRead: this.#readersOf(readers) }))
  }

  /** A writer of a key learns its versions, so only those who may read it may write it. */
  mayWrite({ uid }: Caller, key: string): boolean {
    const rule = this.#rules[this.#patterns.areaOf(key)]
    if (this.#access.isOwner(uid)) return true
    if (rule === undefined || (rule.read !== null && !rule.read.includes({ uid }))) return false
    if (rule.write === null || this.#access.rules.writers.includes({ uid })) {
      return this.#access.allows('write', this.#name, { uid })
    }
    return rule.write.includes({ uid })
  }

  #readersOf(readers: People | null): (caller: Caller) => boolean {
    const name = readers?.name ?? EVERYBODY
    const known = this.#mayRead.get(name)
    if (known !== undefined) return known
    const mayRead = withoutContext(
      ({ uid }: Caller) => readers === null || this.#access.isOwner(uid) || readers.includes({ uid }),
    )
    this.#mayRead.set(name, mayRead)
    return mayRead
  }
}

/** The keys of each area that these rules need. */
export function areasOf(rules: readonly KeyRule[]): { keys: string[] }[] {
  return plan(forAllKeys(rules)).map(({ keys }) => ({ keys }))
}

function forAllKeys(rules: readonly KeyRule[]): readonly KeyRule[] {
  return rules.at(-1) === ALL_OTHERS ? rules : [...rules, ALL_OTHERS]
}

/** Rules with the same readers share an area if no other rule between them has keys in common with one of them. */
function plan(rules: readonly KeyRule[]): Plan[] {
  const plans: Plan[] = []
  for (const { keys, read } of rules) {
    const at = plans.findLastIndex(({ readers }) => isSame(readers, read))
    const between = plans.slice(at + 1)
    const found = plans[at]
    if (found !== undefined && !between.some((other) => overlap(other.keys, keys))) found.keys.push(...keys)
    else if (found !== undefined && !between.some((other) => overlap(other.keys, found.keys))) {
      plans.splice(at, 1)
      plans.push({ keys: [...found.keys, ...keys], readers: read })
    } else plans.push({ keys: [...keys], readers: read })
  }
  return plans
}

function isSame(a: People | null, b: People | null): boolean {
  return (a?.name ?? EVERYBODY) === (b?.name ?? EVERYBODY)
}

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((a) => others.some((b) => areAlike(a, b)))
}

/** Whether there can be a key that both patterns have. */
function areAlike(a: string, b: string): boolean {
  const [x, y] = [a, b].map((pattern) => (pattern.endsWith('*') ? pattern.slice(0, -1) : pattern)) as [string, string]
  if (a.endsWith('*') && y.startsWith(x)) return true
  return b.endsWith('*') ? x.startsWith(y) : a === b
}
