/** The unit of @memsvc/replication, fitted to one installation, and to where the configuration says that etcd and the secrets are. */
import { getServers, lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { IllegalStateError, InvalidArgValueError } from '@memsvc/shared'
import type { ReplicateConfiguration } from '../config/replicate.ts'
import { replicationPackage } from '../replication/load.ts'
import type { Installation } from './installation.ts'
import { fitService, type UnitFile, written } from './unit-files.ts'

/** The places of its files and of the configuration's secrets. */
export interface ReplicatePlace {
  readonly installation: Installation
  /** The configuration's file. */
  readonly configuration: string
}

export const REPLICATE_UNIT = 'memsvc-replicate.service'

/**
 * @throws ERR_ILLEGAL_STATE @memsvc/replication is not installed; a node's name is not known here
 * @throws ERR_INVALID_ARG_VALUE the configuration does not say where etcd is
 */
export async function makeReplicateUnit(
  configured: ReplicateConfiguration | null,
  { installation, configuration }: ReplicatePlace,
): Promise<UnitFile> {
  const endpoints = configured?.endpoints ?? []
  if (endpoints.length === 0)
    throw new InvalidArgValueError(
      `the address of etcd is missing: set "replicate": { "endpoints": [...] } in ${configuration}`,
    )
  const template = readFileSync(join(replicationPackage(), 'systemd', REPLICATE_UNIT), 'utf8')
  const allowed = await addressesOf(endpoints)
  const text = fitService(template.replace(/^# Copy to .*\n/, ''), installation)
    .replace(/^IPAddressAllow=.*$/m, () => `IPAddressAllow=${allowed.join(' ')}`)
    .replace(/^# The password .*\n/m, '')
    .replace(/^LoadCredential=.*\n/m, () => credentials(configured ?? {}, dirname(configuration)))
  return written({ name: REPLICATE_UNIT, text })
}

/** What the nodes have now; where one has a name, who is asked for its address too. */
async function addressesOf(endpoints: readonly string[]): Promise<string[]> {
  const hosts = [...new Set(endpoints.map(hostOf))]
  const found = await Promise.all(hosts.map((host) => (isIP(host) === 0 ? addressesOfName(host) : [host])))
  const names = hosts.filter((host) => isIP(host) === 0 && host !== 'localhost')
  const servers = names.length === 0 ? [] : getServers().map((server) => hostOf(`dns://${server}`))
  return [...new Set([...found.flat(), ...servers])]
}

async function addressesOfName(name: string): Promise<string[]> {
  if (name === 'localhost') return [name]
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch (cause) {
    throw new IllegalStateError(
      `the unit must allow the address of ${name}, but the name has none here: check DNS, or give the address`,
      { cause },
    )
  }
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Names of files that are not absolute: they lie beside the configuration, for root only. */
function credentials({ passwordFile, ca, cert, key }: ReplicateConfiguration, folder: string): string {
  const files = [passwordFile, ca, cert, key].filter((file) => file !== undefined && !file.startsWith('/'))
  const lines = [...new Set(files)].map((file) => `LoadCredential=${file}:${join(folder, file as string)}\n`)
  return lines.join('').replaceAll('%', '%%')
}
