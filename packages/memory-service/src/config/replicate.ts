/**
 * The part `replicate` of the configuration, and the options of the command line that replace it. Secrets are in files; the
 * configuration only names these files.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { errorCode, InvalidArgValueError } from '@memsvc/shared'
import { isServiceName, keysFor } from '@memsvc/shared/internal'
import { readRegularFile } from '../process/regular-file.ts'
import type { ReplicationSettings } from '../replication/load.ts'
import { items, member, members, type Node } from './document.ts'
import { bytesOf } from './stores.ts'

/** As it is written. */
export interface ReplicateConfiguration {
  readonly name?: string
  readonly values?: readonly string[]
  readonly endpoints?: readonly string[]
  readonly prefix?: string
  readonly machine?: string
  readonly mode?: 'readwrite' | 'read'
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly capacity?: number
  readonly maxKeys?: number
  readonly maxValueBytes?: number
}

/** Of the command line. */
export interface ReplicateOverrides {
  readonly endpoint?: readonly string[]
  readonly prefix?: string
  readonly store?: string
  readonly value?: readonly string[]
  readonly machine?: string
  readonly readOnly?: boolean
}

const MIB = 1024 * 1024
const DEFAULTS = { name: 'ClusterStore', prefix: 'memsvc/', capacity: 64 * MIB, maxKeys: 20_000, maxValueBytes: MIB }
const SECRET_BYTES = 64 * 1024

/** @param node checked against the schema */
export function readReplicate(node: Node | undefined): ReplicateConfiguration | null {
  if (node === undefined) return null
  const plain = Object.fromEntries(
    [...members(node)].filter(([, { value }]) => typeof value !== 'object').map(([key, { value }]) => [key, value]),
  )
  return {
    ...(plain as ReplicateConfiguration),
    endpoints: words(node, 'endpoints'),
    values: words(node, 'values'),
    ...sizes(node),
  }
}

function words(node: Node, name: string): string[] {
  return items(member(node, name)).map(({ value }) => String(value))
}

function sizes(node: Node): Partial<ReplicateConfiguration> {
  const found = ['capacity', 'maxValueBytes'].flatMap((name) => {
    const bytes = bytesOf(member(node, name))
    return bytes === undefined ? [] : [[name, bytes]]
  })
  return Object.fromEntries(found)
}

/** @throws ERR_INVALID_ARG_VALUE something is missing, or wrong, or a file cannot be read */
export function settingsOf(
  configured: ReplicateConfiguration | null,
  overrides: ReplicateOverrides,
  env: NodeJS.ProcessEnv,
): ReplicationSettings {
  const { user, passwordFile, ca, cert, key, ...rest } = configured ?? {}
  const endpoints = overrides.endpoint ?? rest.endpoints ?? []
  const name = overrides.store ?? rest.name ?? DEFAULTS.name
  const capacity = rest.capacity ?? DEFAULTS.capacity
  const prefix = overrides.prefix ?? rest.prefix ?? DEFAULTS.prefix
  if (!isServiceName(name)) throw new InvalidArgValueError(`${JSON.stringify(name)} is not a valid name for a store`)
  const values = [...new Set(overrides.value ?? rest.values ?? [])]
  for (const each of values) {
    if (!isServiceName(each) || each === name)
      throw new InvalidArgValueError(`${JSON.stringify(each)} is not a valid name for a value`)
  }
  if (prefix === '')
    throw new InvalidArgValueError('the prefix must not be empty: it says which keys of the cluster belong to memsvc')
  if ((cert === undefined) !== (key === undefined))
    throw new InvalidArgValueError('cert and key must both be set, or neither')
  const read = (file: string) => readSecret(file, env)
  return {
    ...{ name, prefix, values },
    endpoints: checkedEndpoints(endpoints),
    machine: overrides.machine ?? rest.machine ?? hostname(),
    mode: overrides.readOnly ? 'read' : (rest.mode ?? 'readwrite'),
    tls: {
      ...(ca === undefined ? {} : { ca: read(ca) }),
      ...(cert === undefined || key === undefined ? {} : { cert: read(cert), key: read(key) }),
    },
    credentials: credentialsOf(user, passwordFile, read),
    capacity,
    maxKeys: rest.maxKeys ?? Math.min(DEFAULTS.maxKeys, keysFor(capacity)),
    maxValueBytes: Math.min(rest.maxValueBytes ?? DEFAULTS.maxValueBytes, DEFAULTS.maxValueBytes),
  }
}

function credentialsOf(
  user: string | undefined,
  passwordFile: string | undefined,
  read: (file: string) => string,
): ReplicationSettings['credentials'] {
  if (user === undefined) return null
  if (passwordFile === undefined) throw new InvalidArgValueError('a user needs a passwordFile')
  const readPassword = () => read(passwordFile).replace(/\r?\n$/, '')
  return new FileCredentials(user, readPassword)
}

/** A password may be replaced while this runs, in the cluster and in the file: each look is at what the file has. */
class FileCredentials {
  readonly user: string
  readonly #read: () => string
  /** Where the file is being replaced it may be gone for a moment. */
  #last: string

  constructor(user: string, read: () => string) {
    this.user = user
    this.#read = read
    this.#last = read()
  }

  get password(): string {
    try {
      this.#last = this.#read()
    } catch {
      // the last one counts on
    }
    return this.#last
  }
}

function checkedEndpoints(endpoints: readonly string[]): readonly string[] {
  if (endpoints.length === 0)
    throw new InvalidArgValueError(
      'the address of etcd is missing: set "endpoints" in the configuration, or --endpoint URL',
    )
  for (const endpoint of endpoints) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : null
    if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') continue
    throw new InvalidArgValueError(
      `an endpoint must be http://HOST:PORT or https://HOST:PORT, got ${JSON.stringify(endpoint)}`,
    )
  }
  return endpoints
}

/** systemd's LoadCredential puts secrets into a folder; a path that is not absolute is of that. */
function readSecret(file: string, { CREDENTIALS_DIRECTORY }: NodeJS.ProcessEnv): string {
  if (!file.startsWith('/') && CREDENTIALS_DIRECTORY === undefined) {
    throw new InvalidArgValueError(`${file} must be an absolute path, because systemd has passed no credentials`)
  }
  const path = file.startsWith('/') ? file : join(CREDENTIALS_DIRECTORY as string, file)
  try {
    return readRegularFile(path, { maxBytes: SECRET_BYTES })
  } catch (error) {
    throw new InvalidArgValueError(`${path}: cannot be read (${errorCode(error) ?? (error as Error).message})`, {
      cause: error,
    })
  }
}
