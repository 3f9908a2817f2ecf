/** The configuration file: where it is, whether it can be trusted, and what it says. Its form is memsvc.schema.json. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode, InvalidArgValueError } from '@memsvc/shared'
import {
  checkPathTrust,
  currentName,
  type Shares,
  SYSTEM_REGISTRY_PATH,
  type TrustedUsers,
} from '@memsvc/shared/internal'
import type { FileStatus } from 'memfd-native'
import { ACTIONS, type AccessRule } from '../access/access.ts'
import type { People } from '../access/people.ts'
import { inPackage } from '../process/package-folder.ts'
import { readRegularFile } from '../process/regular-file.ts'
import type { AskedLimits } from '../quota/descriptor-budget.ts'
import { DAEMON_LIMITS, type Resource } from '../quota/limits.ts'
import { DocumentError, items, member, members, type Node, parseDocument } from './document.ts'
import { readPeople } from './people-list.ts'
import { type ReplicateConfiguration, readReplicate } from './replicate.ts'
import { checkSchema, type Schema } from './schema.ts'
import { readStores, type StoreConfiguration } from './stores.ts'

export interface Configuration {
  /** null if there is none: then the defaults apply. */
  readonly path: string | null
  readonly rules: readonly AccessRule[]
  readonly limits: AskedLimits
  /** Those that it names. */
  readonly stores: readonly StoreConfiguration[]
  /** For `memsvc replicate`; null: nothing is said. */
  readonly replicate: ReplicateConfiguration | null
}

export const SYSTEM_CONFIGURATION = '/etc/memsvc/memsvc.json'
const SCHEMA_PATH = inPackage('memsvc.schema.json')
const OTHERS_MAY_WRITE = 0o022

/**
 * The file that a daemon goes by: the one given; for the system's registry /etc/memsvc/memsvc.json, for all others
 * memsvc/memsvc.json in XDG_CONFIG_HOME or ~/.config, if there is one.
 */
export function configurationPath(
  given: string | undefined,
  registryPath: string,
  env: NodeJS.ProcessEnv,
): string | null {
  if (given !== undefined) return given
  if (registryPath === SYSTEM_REGISTRY_PATH) return isThere(SYSTEM_CONFIGURATION) ? SYSTEM_CONFIGURATION : null
  const path = userConfiguration(env)
  // A home that this user may not enter is another's: su(1) and setpriv(1) leave HOME as it was.
  return path !== null && isThere(path, ['EACCES']) ? path : null
}

function userConfiguration({ XDG_CONFIG_HOME, HOME }: NodeJS.ProcessEnv): string | null {
  // Relative paths there are to be ignored, says the XDG base directory specification.
  if (XDG_CONFIG_HOME?.startsWith('/')) return join(XDG_CONFIG_HOME, 'memsvc/memsvc.json')
  return HOME?.startsWith('/') ? join(HOME, '.config/memsvc/memsvc.json') : null
}

/** A file that cannot be looked at is there: without its rules nobody should start. */
function isThere(path: string, alsoMissing: readonly string[] = []): boolean {
  try {
    return statSync(path) !== undefined
  } catch (error) {
    return !['ENOENT', 'ENOTDIR', ...alsoMissing].includes(errorCode(error) ?? '')
  }
}

/**
 * @param trusted whose the file and the folders above it may be
 * @throws ERR_INVALID_ARG_VALUE with the file, the line and the reason; ERR_SECURITY a folder above it
 */
export async function readConfiguration(path: string | null, trusted: TrustedUsers): Promise<Configuration> {
  if (path === null) return { path, rules: [], limits: {}, stores: [], replicate: null }
  checkPathTrust(`the configuration ${path}`, path, trusted)
  const text = readTrusted(path, trusted)
  try {
    const document = parseDocument(text)
    checkFormerNames(member(document, 'limits'))
    checkSchema(document, JSON.parse(readFileSync(SCHEMA_PATH, 'utf8')) as Schema)
    const rules: AccessRule[] = []
    for (const rule of items(member(document, 'rules'))) rules.push(await readRule(rule))
    const stores = await readStores(member(document, 'stores'))
    return {
      path,
      rules,
      limits: readLimits(member(document, 'limits')),
      stores,
      replicate: readReplicate(member(document, 'replicate')),
    }
  } catch (error) {
    if (error instanceof DocumentError) throw new InvalidArgValueError(`${path}:${error.line}: ${error.message}`)
    throw error
  }
}

/** The text, unless somebody could have written it who must not decide here. */
function readTrusted(path: string, trusted: TrustedUsers): string {
  try {
    return readRegularFile(path, {
      maxBytes: DAEMON_LIMITS.configurationBytes.limit,
      check: (file) => checkTrust(file, trusted),
    })
  } catch (error) {
    if (error instanceof InvalidArgValueError) throw new InvalidArgValueError(`${path}: ${error.message}`)
    throw new InvalidArgValueError(`${path}: cannot be read (${errorCode(error)})`, { cause: error })
  }
}

function checkTrust(file: FileStatus, trusted: TrustedUsers): void {
  if (!trusted.has(file.uid)) throw new InvalidArgValueError(`belongs to uid ${file.uid}`)
  if ((file.mode & OTHERS_MAY_WRITE) !== 0) throw new InvalidArgValueError('can be written to by others')
}

async function readRule(rule: Node): Promise<AccessRule> {
  const people: { [A in (typeof ACTIONS)[number]]?: People } = {}
  for (const action of ACTIONS) {
    const list = member(rule, action)
    if (list !== undefined) people[action] = await readPeople(list)
  }
  return { names: items(member(rule, 'names')).map(({ value }) => String(value)), people }
}

/** If the file was written for an older daemon, the error gives the new name of the limit. */
function checkFormerNames(limits: Node | undefined): void {
  for (const [former, { line }] of members(limits)) {
    const name = currentName(former)
    if (name !== undefined)
      throw new DocumentError(line, `limits has no member "${former}": it is now called "${name}"`)
  }
}

function readLimits(limits: Node | undefined): AskedLimits {
  const asked: { [R in Resource]?: Partial<Shares> } = {}
  for (const [resource, node] of members(limits)) {
    const shares = Object.fromEntries([...members(node)].map(([key, { value }]) => [key, value])) as Partial<Shares>
    checkOrder(resource, node, shares)
    asked[resource as Resource] = shares
  }
  return asked
}

/** A share that is larger than the whole is a mistake, of whichever of the two. */
function checkOrder(resource: string, { line }: Node, shares: Partial<Shares>): void {
  const { total = Infinity, perUser = total, perPeer = 0 } = shares
  const refusal = (what: string) => new DocumentError(line, `${resource}: ${what}`)
  if (perUser > total) throw refusal(`perUser must be at most the total of ${total}, and is ${perUser}`)
  if (perPeer > perUser) throw refusal(`perPeer must be at most perUser, which is ${perUser}, and is ${perPeer}`)
}
