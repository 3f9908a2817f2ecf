/** The settings that may change while a daemon runs: rights and limits. They come from the options and the file. */
import { DEFAULT_STORE_NAME } from '@memsvc/shared'
import type { RegistryPlace } from '@memsvc/shared/internal'
import type { AccessRules } from '../access/access.ts'
import { findPeople } from '../access/people.ts'
import { type AskedLimits, fitLimits } from '../quota/descriptor-budget.ts'
import { RESOURCE_NAMES, RESOURCES, type ResourceLimits } from '../quota/limits.ts'
import { configurationPath, readConfiguration } from './configuration.ts'
import { plainStore, type StoreConfiguration } from './stores.ts'

export interface SettingsOptions {
  readonly config?: string
  readonly maxConnections?: number
  readonly maxChannels?: number
  readonly maxWatchers?: number
}

export interface Settings {
  /** The file they came from; null: there is none. */
  readonly configuration: string | null
  readonly access: AccessRules
  readonly limits: ResourceLimits
  /** Those that are to be served. */
  readonly stores: readonly StoreConfiguration[]
  /** The totals that nobody asked for and that did not fit into the open files: what they are now. */
  readonly lowered: Readonly<Record<string, number>>
}

export interface SettingsSource {
  readonly options: SettingsOptions & { readonly writers: readonly string[] }
  /** Without stores none are served, whatever the file says. */
  readonly hasStores: boolean
  readonly place: RegistryPlace
  readonly env: NodeJS.ProcessEnv
  /** Descriptors that the process may have. */
  readonly openFiles: number
}

/** Options come before the file. @throws ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE */
export async function readSettings(source: SettingsSource): Promise<Settings> {
  const { options, place, env, openFiles, hasStores } = source
  const { path, rules, limits, stores } = await readConfiguration(
    configurationPath(options.config, place.path, env),
    place.trusted,
  )
  const asked = { ...limits, ...askedByOptions(options, limits) }
  const fitting = fitLimits(asked, openFiles - (hasStores ? descriptorsOf(stores) : 0))
  return {
    configuration: path,
    access: { rules, writers: await findPeople(options.writers) },
    limits: fitting,
    stores: hasStores ? withDefault(stores) : [],
    lowered: loweredTotals(asked, fitting),
  }
}

/** The descriptors of all areas, counted twice, because a new area replaces an old one while both are open. */
function descriptorsOf(stores: readonly StoreConfiguration[]): number {
  return stores.reduce((sum, { rules }) => sum + 2 * (rules.length + 2), 0)
}

function withDefault(stores: readonly StoreConfiguration[]): StoreConfiguration[] {
  const isNamed = stores.some(({ name }) => name === DEFAULT_STORE_NAME)
  return [...(isNamed ? [] : [plainStore(DEFAULT_STORE_NAME)]), ...stores]
}

function askedByOptions(options: SettingsOptions, limits: AskedLimits): AskedLimits {
  const totals = { connections: options.maxConnections, channels: options.maxChannels, watchers: options.maxWatchers }
  const given = Object.entries(totals).filter(([, total]) => total !== undefined)
  return Object.fromEntries(given.map(([name, total]) => [name, { ...limits[name as keyof typeof totals], total }]))
}

function loweredTotals(asked: AskedLimits, limits: ResourceLimits): Record<string, number> {
  const lowered = RESOURCE_NAMES.filter(
    (resource) => limits[resource].total < (asked[resource]?.total ?? RESOURCES[resource].total),
  )
  return Object.fromEntries(lowered.map((resource) => [resource, limits[resource].total]))
}
