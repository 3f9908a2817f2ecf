/**
 * The default limits for the clients of a service: each other user gets a share of everything. Limits of descriptors
 * are a part of those that are free.
 */
import { readdirSync } from 'node:fs'
import { constants, getrlimit } from 'memfd-native'
import { objectsForCallbacks } from '../quota/callbacks.ts'
import { currentName } from '../quota/former-names.ts'
import type { Shares } from '../quota/shares.ts'
import { checkInteger, checkOptions, show } from '../util/check.ts'
import { InvalidArgTypeError, InvalidArgValueError } from '../util/errors.ts'

interface Row extends Shares {
  /** The part of the free descriptors that this may take. */
  readonly filesPart?: number
}

/** Never tuned. They are the daemon's numbers, if it has the limit. */
const ROWS = {
  channels: { total: 16_384, perUser: 1024, filesPart: 10 / 16 },
  turnedAway: { total: 128, perUser: 32, filesPart: 1 / 16 },
  unreadDescriptors: { total: 2048, perUser: 512, perPeer: 256, filesPart: 2 / 16 },
  heldDescriptors: { total: 2048, perUser: 512, perPeer: 256, filesPart: 2 / 16 },
  objects: { total: 131_072, perUser: 16_384, perPeer: 4096 },
  heldBlocks: { total: 1024, perUser: 256, perPeer: 64 },
  watchers: { total: 65_536, perUser: 4096, perPeer: 256 },
} as const satisfies Record<string, Row>

/**
 * What clients can make a service hold:
 * - `channels`: one for each client
 * - `turnedAway`: refused channels that have not received the error yet
 * - `unreadDescriptors`: descriptors that clients have not read yet; further ones wait as `heldDescriptors`
 * - `heldDescriptors`: descriptors that wait for a client to read, or belong to requests under way
 * - `objects`: binders of clients that this process holds, also in requests under way, and its own binders that clients
 *   hold
 * - `heldBlocks`: blocks of 64 KiB, for answers that are not read and requests that are not finished, whose channel
 *   ends beyond it
 * - `watchers`: callbacks for changes of a value
 */
export type ServiceResource = keyof typeof ROWS

/** Limits that replace the defaults. Limits that you do not give keep their defaults. */
export type ServiceLimits = { readonly [R in ServiceResource]?: Partial<Shares> }

/** Descriptors that are left for what the process opens itself, and for the ends that the registry brings at once: 16. */
export const RESERVE = 24
const MIN_TOTAL = 4
const SHARE_NAMES = ['total', 'perUser', 'perPeer']

export const SERVICE_RESOURCES = Object.keys(ROWS) as ServiceResource[]

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE a resource or share that is none, fewer objects than watchers; ERR_OUT_OF_RANGE */
export function checkServiceLimits(limits: unknown): asserts limits is ServiceLimits {
  checkOptions('limits', limits)
  for (const [resource, shares] of Object.entries(limits as object)) {
    if (!Object.hasOwn(ROWS, resource))
      throw new InvalidArgValueError(`limits has no ${show(resource)}${hint(resource)}`)
    if (typeof shares !== 'object' || shares === null)
      throw new InvalidArgTypeError(`limits.${resource} must be an object`)
    for (const [share, count] of Object.entries(shares)) {
      if (!SHARE_NAMES.includes(share)) throw new InvalidArgValueError(`limits.${resource} has no ${show(share)}`)
      checkInteger(`limits.${resource}.${share}`, count, 1, 1_000_000)
    }
  }
  fitServiceLimits(limits as ServiceLimits, Number.POSITIVE_INFINITY)
}

/** For who still says what a limit of services was called before. */
function hint(former: string): string {
  const name = currentName(former)
  return name !== undefined && Object.hasOwn(ROWS, name) ? `: it is called ${name} now` : ''
}

/** Descriptors that this process may have, and how many of them are free but for the reserve. */
export function countFreeFiles(): number {
  return openFilesLimit() - readdirSync('/proc/self/fd').length - RESERVE
}

export function openFilesLimit(): number {
  return getrlimit(constants.RLIMIT_NOFILE).soft
}

/** The limits to go by. One user gets at most three quarters, unless somebody asked for more. */
export function fitServiceLimits(asked: ServiceLimits, freeFiles: number): Record<ServiceResource, Shares> {
  const limits = Object.fromEntries(
    SERVICE_RESOURCES.map((resource) => [resource, fit(ROWS[resource], asked[resource] ?? {}, freeFiles)]),
  ) as Record<ServiceResource, Shares>
  return { ...limits, objects: objectsForCallbacks(limits, asked) }
}

function fit(row: Row, asked: Partial<Shares>, freeFiles: number): Shares {
  const room = row.filesPart === undefined ? row.total : Math.max(Math.floor(row.filesPart * freeFiles), MIN_TOTAL)
  const total = asked.total ?? Math.min(row.total, room)
  const perUser = asked.perUser ?? Math.min(row.perUser, Math.floor((3 * total) / 4))
  if (row.perPeer === undefined) return { total, perUser: Math.max(perUser, 1) }
  return { total, perUser: Math.max(perUser, 1), perPeer: asked.perPeer ?? Math.min(row.perPeer, Math.max(perUser, 1)) }
}
