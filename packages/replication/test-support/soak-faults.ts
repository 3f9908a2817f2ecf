/** The faults of a soak, one of which is picked at a time. Each has ended when its promise resolves; what follows from it has not. */
import { setTimeout as delay } from 'node:timers/promises'
import type { SeededRandom } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { base64, type EtcdCluster, type EtcdNode, type MachineCables } from './etcd.ts'
import { type Copied, settingsOf, startMachine } from './machines.ts'
import { Replicator } from './replicator.ts'

/** Where a replicator runs. */
export interface Place {
  readonly index: number
  readonly cables: MachineCables
  machine: Copied & { end(): Promise<void> }
  /** What was seen of each key. */
  readonly seen: Map<string, number>
}

export interface SoakFaultsParts {
  readonly cluster: EtcdCluster
  readonly places: readonly Place[]
  readonly random: SeededRandom
  /** The longest that a fault lasts. Milliseconds. */
  readonly longestMs: number
}

export interface Fault {
  readonly name: string
  act(): Promise<void>
}

/** Of a burst: transactions, and keys of each. */
const BURST = { transactions: 20, keys: 40 }

export class SoakFaults {
  readonly #t: Test
  readonly #parts: SoakFaultsParts
  #bursts = 0

  constructor(t: Test, parts: SoakFaultsParts) {
    this.#t = t
    this.#parts = parts
  }

  pick(): Fault {
    const place = this.#oneOf(this.#parts.places)
    const node = this.#oneOf(this.#parts.cluster.nodes)
    const { cables } = place
    const faults: readonly [string, () => Promise<void>][] = [
      ['cable pulled', () => this.#for(cables.pull.bind(cables), cables.plugIn.bind(cables))],
      ['connections broken', async () => cables.cutOff()],
      ['broken twice', () => this.#breakTwice(place)],
      ['node killed', () => this.#for(node.kill.bind(node, 'SIGKILL'), node.start.bind(node))],
      ['leader killed', () => this.#killLeader()],
      ['all killed', () => this.#killAll()],
      ['node stopped', () => this.#for(node.kill.bind(node, 'SIGSTOP'), node.kill.bind(node, 'SIGCONT'))],
      ['majority stopped', () => this.#stopMajority(node)],
      ['compacted while away', () => this.#compactWhileAway(place)],
      ['replicator replaced or killed', () => this.#replace(place)],
      ['replicator killed while it applies', () => this.#killWhileApplying()],
    ]
    const [name, act] = this.#oneOf(faults)
    return { name, act }
  }

  async #for(begin: () => unknown, end: () => unknown): Promise<void> {
    await begin()
    await this.#pause()
    await end()
  }

  async #breakTwice({ cables }: Place): Promise<void> {
    cables.cutOff()
    await delay(this.#below(600))
    cables.cutOff()
  }

  async #killLeader(): Promise<void> {
    const leader = this.#parts.cluster.nodes[await this.#parts.cluster.leader()] as EtcdNode
    await this.#for(leader.kill.bind(leader, 'SIGKILL'), leader.start.bind(leader))
  }

  async #killAll(): Promise<void> {
    const { nodes } = this.#parts.cluster
    for (const node of nodes) await node.kill()
    await this.#pause()
    for (const node of nodes) node.start()
  }

  /** One node is left that answers, and has lost the others. */
  async #stopMajority(left: EtcdNode): Promise<void> {
    const others = this.#parts.cluster.nodes.filter((node) => node !== left)
    for (const node of others) await node.kill('SIGSTOP')
    await this.#pause()
    for (const node of others) await node.kill('SIGCONT')
  }

  /** Up to a delete, of which the history says nothing then. */
  async #compactWhileAway({ cables }: Place): Promise<void> {
    const { cluster } = this.#parts
    cables.pull()
    const key = `test/gone${this.#below(3)}`
    await cluster.put(key, '1')
    const revision = await cluster.delete(key)
    await this.#pause()
    await cluster.compact(revision)
    cables.plugIn()
    cables.cutOff()
  }

  async #replace(place: Place): Promise<void> {
    const { index, cables, machine } = place
    if (machine instanceof Replicator) return this.#for(machine.kill.bind(machine), machine.begin.bind(machine))
    const next = await startMachine(this.#t, settingsOf(cables.endpoints, { machine: `m${index}` }))
    // Whoever reads another copy may find it a moment older.
    place.machine = next
    place.seen.clear()
    await machine.end()
  }

  /** It had been away: there is much to be made good. */
  async #killWhileApplying(): Promise<void> {
    for (const { machine, cables } of this.#parts.places) {
      if (!(machine instanceof Replicator)) continue
      cables.pull()
      await this.#burst()
      cables.plugIn()
      const more = this.#burst()
      await delay(this.#below(400))
      await machine.kill()
      await more
      await machine.begin()
    }
  }

  async #burst(): Promise<void> {
    const burst = ++this.#bursts
    for (let i = 0; i < BURST.transactions; i++) {
      const success = Array.from({ length: BURST.keys }, (_, key) => ({
        request_put: { key: base64(`test/burst${key}`), value: base64(`"${burst} ${i}"`) },
      }))
      await this.#parts.cluster.askPatiently('/v3/kv/txn', { success })
    }
  }

  #pause(): Promise<void> {
    return delay(this.#below(this.#parts.longestMs))
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T
  }

  #below(count: number): number {
    return this.#parts.random.int(count)
  }
}
