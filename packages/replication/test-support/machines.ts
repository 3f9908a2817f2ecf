/** A machine for a test: a replication of this process, published at a registry of its own, and a reader of it. */
import { fileURLToPath } from 'node:url'
import { ServiceManager, SharedStore } from '@memsvc/shared'
import { startDaemon } from '@memsvc/shared/test-support'
import { Hub } from 'memfd-native'
import type { Test } from 'tap'
import { Replication, type ReplicationOptions } from '../src/replication.ts'
import type { ReplicationSettings } from '../src/settings.ts'
import type { EtcdCluster } from './etcd.ts'
import { until } from './until.ts'

Hub.current() // lives as long as the thread: its descriptors are no leak of a test

/** The program, as it is installed here. */
export const memsvc = fileURLToPath(import.meta.resolve('../../../../node_modules/.bin/memsvc'))
export const PREFIX = 'test/'
const MIB = 1024 * 1024

export function settingsOf(endpoints: readonly string[], own: Partial<ReplicationSettings> = {}): ReplicationSettings {
  return {
    name: 'cluster',
    values: [],
    endpoints,
    prefix: PREFIX,
    machine: 'm',
    mode: 'readwrite',
    tls: {},
    credentials: null,
    capacity: 64 * MIB,
    maxKeys: 20_000,
    maxValueBytes: MIB,
    ...own,
  }
}

/** What can be compared with the cluster. */
export interface Copied {
  /** A reader in this process, over a channel. */
  readonly store: SharedStore
  /** Of the cluster, which wrote the value that is here. */
  revisionOf(key: string): bigint | Promise<bigint>
}

/** Its states since it began, and why. */
export interface Machine extends Copied {
  readonly replication: Replication
  readonly states: string[]
  readonly registry: string
  /** Before the test ends. Idempotent. */
  end(): Promise<void>
}

export async function startMachine(
  t: Test,
  settings: ReplicationSettings,
  options: Partial<ReplicationOptions> = {},
): Promise<Machine> {
  const { registry, program } = await startDaemon(t, memsvc, { command: 'registry' })
  const states: string[] = []
  const replication = new Replication({
    settings,
    mayWrite: () => true,
    onState: (state) => states.push(state),
    ...options,
  })
  const manager = await ServiceManager.connect({ path: registry })
  await manager.addService(settings.name, replication.binder)
  replication.start()
  const store = await SharedStore.open(settings.name, { path: registry })
  let ending: Promise<void> | null = null
  const end = () => {
    ending ??= (async () => {
      store.close()
      await replication.close()
      manager.close()
      await program.destroy()
    })()
    return ending
  }
  t.teardown(end)
  const revisionOf = (key: string) => replication.revisionOf(key)
  return { replication, states, store, registry, revisionOf, end }
}

/** What differs between a machine and the cluster: keys, values, revisions. Empty: nothing. */
export async function differences(machine: Copied, cluster: EtcdCluster): Promise<string[]> {
  const there = await cluster.contents(PREFIX)
  there.delete('.pulse')
  const { store } = machine
  const here = new Set(store.keys())
  const found: string[] = []
  for (const [key, { value, revision }] of there) {
    if (!here.delete(key)) found.push(`${key} is missing`)
    else if (!storedBytes(value).equals(store.getBytes(key) ?? Buffer.from('-'))) found.push(`${key} has another value`)
    else if ((await machine.revisionOf(key)) !== revision) found.push(`${key} has another revision`)
  }
  return [...found, ...[...here].map((key) => `${key} is too much`)]
}

/** Once it has everything that was there before the call. */
export async function caughtUp(machine: Copied, cluster: EtcdCluster): Promise<string[]> {
  const contents = await cluster.contents(PREFIX)
  const revision = [...contents.values()].reduce((last, { revision }) => (revision > last ? revision : last), 0n)
  await until(() => machine.store.status.state === 'live' && (machine.store.status.applied ?? 0n) >= revision)
  return differences(machine, cluster)
}

function storedBytes(value: Buffer): Buffer {
  return value[0] === 0 ? value.subarray(1) : value
}
