/** The stores of a configuration: how large each may become, and who may do what with which keys. */
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import {
  checkedAreas,
  checkedLimits,
  checkedSize,
  checkedValueBytes,
  checkKey,
  keysFor,
  leastCapacity,
  OWN_LIMITS,
  STORE_LIMITS,
  type StoreLimits,
} from '@memsvc/shared/internal'
import { areasOf, type KeyRule } from '../access/store-access.ts'
import { DocumentError, items, member, members, type Node } from './document.ts'
import { readPeople } from './people-list.ts'

export interface StoreConfiguration {
  readonly name: string
  /** Of each area, in bytes. */
  readonly capacity: number
  /** Of each area. */
  readonly maxKeys: number
  readonly maxValueBytes: number
  /** Members that are absent keep their defaults. */
  readonly limits: Partial<StoreLimits>
  /** The first that has a key decides; keys that none has are as in a store without rules. */
  readonly rules: readonly KeyRule[]
}

/** A store that nobody has said anything about. */
export function plainStore(name: string): StoreConfiguration {
  const { capacity, keys, valueBytes } = STORE_LIMITS
  return {
    name,
    capacity: capacity.limit,
    maxKeys: keys.limit,
    maxValueBytes: valueBytes.limit,
    limits: {},
    rules: [],
  }
}

/** @param list checked against the schema @throws DocumentError */
export async function readStores(list: Node | undefined): Promise<StoreConfiguration[]> {
  const stores: StoreConfiguration[] = []
  for (const node of items(list)) {
    const store = await readStore(node)
    if (stores.some(({ name }) => name === store.name)) {
      throw new DocumentError(node.line, `the store ${store.name} appears twice`)
    }
    if (store.name === DEFAULT_SERVICE_NAME)
      throw new DocumentError(node.line, `a store cannot have the name ${store.name}, which is the value's`)
    stores.push(store)
  }
  return stores
}

async function readStore(node: Node): Promise<StoreConfiguration> {
  const given = member(node, 'limits') ?? { line: node.line, value: new Map() }
  const plain = plainStore(String(member(node, 'name')?.value))
  const capacity = bytesOf(member(node, 'capacity')) ?? plain.capacity
  const maxKeys = numberOf(given, 'maxKeys') ?? keysFor(capacity)
  const maxValueBytes = bytesOf(member(given, 'maxValueBytes')) ?? Math.min(plain.maxValueBytes, capacity)
  checkRoom(node, capacity, maxKeys)
  const rules: KeyRule[] = []
  for (const rule of items(member(node, 'rules'))) rules.push(await readRule(rule))
  const store = { ...plain, capacity, maxKeys, maxValueBytes, limits: readLimits(given), rules }
  checkStore(node, store)
  return store
}

/** What an `OwnedStore` would refuse is refused here: a reload has changed nothing yet. */
function checkStore({ line }: Node, { capacity, maxKeys, maxValueBytes, limits, rules }: StoreConfiguration): void {
  try {
    checkedSize({ capacity, maxKeys })
    checkedValueBytes(maxValueBytes)
    checkedLimits(limits)
    checkedAreas(areasOf(rules))
  } catch (error) {
    throw new DocumentError(line, (error as Error).message)
  }
}

function readLimits(given: Node): Partial<StoreLimits> {
  const known = OWN_LIMITS.flatMap((name) => {
    const limit = bytesOf(member(given, name))
    return limit === undefined ? [] : [[name, limit]]
  })
  return Object.fromEntries(known)
}

async function readRule(rule: Node): Promise<KeyRule> {
  const [read, write] = [member(rule, 'read'), member(rule, 'write')]
  return {
    keys: items(member(rule, 'keys')).map(readPattern),
    read: read === undefined ? null : await readPeople(read),
    write: write === undefined ? null : await readPeople(write),
  }
}

function readPattern({ line, value }: Node): string {
  const pattern = String(value)
  try {
    if (pattern !== '*') checkKey(pattern.endsWith('*') ? pattern.slice(0, -1) : pattern)
    return pattern
  } catch (error) {
    throw new DocumentError(line, (error as Error).message)
  }
}

function checkRoom({ line }: Node, capacity: number, maxKeys: number): void {
  const least = leastCapacity(maxKeys)
  if (capacity >= least) return
  throw new DocumentError(line, `capacity must be at least ${least} for ${maxKeys} keys, and is ${capacity}`)
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** Reads a number, or a number with a unit. */
export function bytesOf(node: Node | undefined): number | undefined {
  if (typeof node?.value !== 'string') return node?.value as number | undefined
  const [, count, unit = ''] = /^(\d+) ?(\w+)$/.exec(node.value) ?? []
  return Number(count) * (UNITS[unit] ?? 1)
}

function numberOf(node: Node | undefined, key: string): number | undefined {
  return members(node).get(key)?.value as number | undefined
}
