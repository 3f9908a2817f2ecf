/**
 * A soak: three nodes, three machines that write and are read all the while, and one random fault after the other. What must hold is looked at
 * all the time (nothing goes back, nothing old passes for live) and after each fault (every copy is the cluster's, key by key).
 */
import { setTimeout as delay } from 'node:timers/promises'
import { errorCode } from '@memsvc/shared'
import type { SeededRandom } from '@memsvc/shared/test-support'
import { bootTime } from 'memfd-native'
import type { Test } from 'tap'
import { type EtcdCluster, startCluster } from './etcd.ts'
import { type Copied, differences, settingsOf, startMachine } from './machines.ts'
import { Replicator } from './replicator.ts'
import { type Place, SoakFaults } from './soak-faults.ts'
import { until } from './until.ts'

/** What a soak counts. All but the first ones must stay 0. */
export interface Tally {
  faults: number
  acknowledged: number
  looks: number
  /** Values that were older than one that was seen before. */
  wentBack: number
  /** Values that were older than an acknowledged one, in a copy that said it was newer. */
  staleButLive: number
  /** Keys that differed from the cluster in value or revision, were missing, or too much, once all was well again. */
  different: number
  /** Compare-and-sets that were acknowledged, and had no effect of their own. */
  doubled: number
}

export interface SoakOptions {
  readonly random: SeededRandom
  /** The longest that a fault lasts. Milliseconds. */
  readonly longestMs: number
}

const KEYS = 8
/** At what differs. */
const LOOKS = 5
const MOST_NOTED = 50
/** Of the three, the one whose replicator is a process of its own. */
const OWN_PROCESS = 2

interface Acknowledged {
  readonly at: number
  readonly sequence: number
}

export class Soak {
  readonly tally: Tally = {
    ...{ faults: 0, acknowledged: 0, looks: 0 },
    ...{ wentBack: 0, staleButLive: 0, different: 0, doubled: 0 },
  }
  /** What was counted as wrong, for people. */
  readonly wrong: string[] = []
  readonly #options: SoakOptions
  readonly #faults: SoakFaults
  readonly #cluster: EtcdCluster
  readonly #places: readonly Place[]
  /** Of each key, what its writer was told is done; the last ones. */
  readonly #acknowledged = new Map<string, Acknowledged[]>()
  /** Of each slot, the key that is in use. */
  readonly #current = new Map<string, string>()
  /** The last fault. */
  #fault = ''
  #isOver = false
  #isPaused = false
  #underWay = 0
  #increments = { done: 0, unknown: 0 }
  #sequence = 0

  private constructor(t: Test, options: SoakOptions, parts: { cluster: EtcdCluster; places: readonly Place[] }) {
    this.#options = options
    this.#cluster = parts.cluster
    this.#places = parts.places
    this.#faults = new SoakFaults(t, { ...options, ...parts })
  }

  static async begin(t: Test, options: SoakOptions): Promise<Soak> {
    const cluster = await startCluster(t, { nodes: 3 })
    const places = await Promise.all(
      [0, 1, 2].map(async (index): Promise<Place> => {
        const cables = await cluster.cables(t, index)
        const [{ endpoints }, name] = [cables, `m${index}`]
        const machine =
          index === OWN_PROCESS
            ? await Replicator.start(t, { endpoints, machine: name })
            : await startMachine(t, settingsOf(endpoints, { machine: name }))
        return { index, cables, machine, seen: new Map() }
      }),
    )
    return new Soak(t, options, { cluster, places })
  }

  /** So many faults, one after the other. @param onFault told after each */
  async run(faults: number, onFault: (name: string) => void = () => undefined): Promise<void> {
    const workers = this.#places.flatMap((place) => [this.#write(place), this.#count(place), this.#look(place)])
    for (let i = 0; i < faults; i++) {
      const { name, act } = this.#faults.pick()
      this.#fault = name
      await act()
      await this.#heal()
      await this.#compare()
      this.tally.faults += 1
      onFault(name)
    }
    this.#isOver = true
    await Promise.all(workers)
    await this.#compare()
    const { done, unknown } = this.#increments
    const n = Number(this.#places[0]?.machine.store.get('n') ?? 0)
    this.tally.doubled += n < done ? done - n : Math.max(n - done - unknown, 0)
  }

  async #heal(): Promise<void> {
    await this.#cluster.ready()
    for (const { machine } of this.#places) await until(() => machine.store.status.state === 'live')
  }

  /** While others write there is always a difference of a moment: looked at again, until there is none of those. */
  async #compare(): Promise<void> {
    this.#isPaused = true
    try {
      await until(() => this.#underWay === 0)
      const revision = await this.#newest()
      for (const { machine } of this.#places) {
        const found = await this.#remaining(machine, revision)
        this.tally.different += found.length
        for (const what of found) this.#note(what)
      }
    } finally {
      this.#isPaused = false
    }
  }

  /** What was on its way in a node that was stopped is carried out now, also between two looks: a difference that counts remains. */
  async #remaining(machine: Copied, revision: bigint): Promise<string[]> {
    let found: string[] = []
    let mark = revision
    for (let looks = 0; looks < LOOKS; looks++) {
      await until(() => machine.store.status.state === 'live' && (machine.store.status.applied ?? 0n) >= mark)
      found = await differences(machine, this.#cluster)
      if (found.length === 0) break
      mark = await this.#newest()
    }
    return found
  }

  /** A mark that every copy must have seen. */
  #newest(): Promise<bigint> {
    return this.#cluster.put('test/mark', String(++this.#sequence))
  }

  async #write(place: Place): Promise<void> {
    const generations = new Map<string, number>()
    while (!this.#isOver) {
      const slot = `m${place.index}/k${this.#below(KEYS)}`
      const key = `${slot}-${generations.get(slot) ?? 0}`
      const sequence = ++this.#sequence
      const outcome = await this.#attempt(() => {
        const { store } = place.machine
        return this.#below(10) === 0 ? store.delete(key) : store.set(key, sequence)
      })
      if (outcome === 'done') this.#acknowledge(key, sequence)
      // It may be carried out later, after changes that come after it: then nobody knows what the key should have. That goes for a call to
      // a replicator that ended meanwhile as well: what it had sent to the cluster is on its way.
      else generations.set(slot, (generations.get(slot) ?? 0) + 1)
      this.#current.set(slot, `${slot}-${generations.get(slot) ?? 0}`)
      await delay(this.#below(40))
    }
  }

  #acknowledge(key: string, sequence: number): void {
    this.tally.acknowledged += 1
    const kept = (this.#acknowledged.get(key) ?? []).slice(-20)
    this.#acknowledged.set(key, [...kept, { at: bootTime(), sequence }])
  }

  /** Each machine adds to the same number, by compare-and-set of its own. */
  async #count({ index }: Place): Promise<void> {
    while (!this.#isOver) {
      const { store } = (this.#places[index] as Place).machine
      const outcome = await this.#attempt(() => {
        const { value = 0, version } = store.getEntry<number>('n')
        return store.set('n', Number(value) + 1, { ifVersion: version })
      })
      if (outcome === 'done') this.#increments.done += 1
      else if (outcome !== 'ERR_CONFLICT') this.#increments.unknown += 1
      await delay(this.#below(60))
    }
  }

  async #attempt(act: () => Promise<unknown>): Promise<string> {
    if (this.#isPaused) await until(() => !this.#isPaused)
    this.#underWay += 1
    try {
      await act()
      return 'done'
    } catch (error) {
      return errorCode(error) ?? 'ERR'
    } finally {
      this.#underWay -= 1
    }
  }

  /** What a reader of this machine sees, all the while. */
  async #look(place: Place): Promise<void> {
    while (!this.#isOver) {
      for (const key of this.#current.values()) this.#lookAt(place, key)
      await delay(5)
    }
  }

  #lookAt({ index, machine, seen }: Place, key: string): void {
    // Before: this process may be stopped between. And the age is rounded.
    const now = bootTime()
    const { state, ageMs } = machine.store.status
    const provenAt = now - ageMs - 1
    const value = machine.store.get(key)
    this.tally.looks += 1
    const sequence = typeof value === 'number' ? value : 0
    const before = seen.get(key) ?? 0
    const note = (rest: string) =>
      this.#note(
        `${key} in m${index}, ${state}, ${ageMs} ms old: ${sequence}${rest}, acknowledged ${this.#lastOf(key)}`,
      )
    if (sequence > 0 && sequence < before) {
      this.tally.wentBack += 1
      note(` after ${before}`)
    }
    if (sequence > 0) seen.set(key, Math.max(sequence, before))
    if (state !== 'live' || sequence === 0) return
    const expected = (this.#acknowledged.get(key) ?? []).filter(({ at }) => at < provenAt).at(-1)
    if (expected === undefined || sequence >= expected.sequence) return
    this.tally.staleButLive += 1
    note('')
  }

  #lastOf(key: string): string {
    const ago = (at: number) => `${Math.round(bootTime() - at)} ms ago`
    return (this.#acknowledged.get(key) ?? [])
      .slice(-5)
      .map(({ at, sequence }) => `${sequence} ${ago(at)}`)
      .join(', ')
  }

  #note(what: string): void {
    if (this.wrong.length < MOST_NOTED) this.wrong.push(`${this.#fault}: ${what}`)
  }

  #below(count: number): number {
    return this.#options.random.int(count)
  }
}
