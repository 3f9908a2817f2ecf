/** The cluster whose values are copied here, if the configuration has one. The package that copies them examines it. */
import { configurationPath, readConfiguration } from '../config/configuration.ts'
import { settingsOf } from '../config/replicate.ts'
import type { SettingsSource } from '../config/settings.ts'
import { loadReplication } from '../replication/load.ts'
import { type Finding, notOk, ok } from './finding.ts'

export async function examineReplication({
  options,
  place,
  env,
}: Omit<SettingsSource, 'openFiles'>): Promise<readonly Finding[]> {
  const replicate = await readReplicate()
  if (replicate === null) return []
  const name = 'replication'
  try {
    const settings = settingsOf(replicate, {}, env)
    const { examineCluster } = await loadReplication()
    const found = `${settings.name}, keys ${settings.prefix}* from ${settings.endpoints.length} nodes, ${settings.mode}`
    return [ok(name, found), ...(await examineCluster(settings))]
  } catch (error) {
    const rest = { follows: 'memsvc replicate refuses to start', remedy: 'correct the configuration' } as const
    return [notOk(name, (error as Error).message, { verdict: 'problem', ...rest })]
  }

  /** Null: there is none, or the configuration is wrong, which is found elsewhere. */
  async function readReplicate() {
    try {
      const path = configurationPath(options.config, place.path, env)
      return (await readConfiguration(path, place.trusted)).replicate
    } catch {
      return null
    }
  }
}
