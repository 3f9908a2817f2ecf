/**
 * With its limits the daemon never runs out of descriptors (EMFILE): at the start they are fitted to what the kernel
 * allows. Default limits are lowered until they fit. Limits that you set must fit.
 */
import { InvalidArgValueError } from '@memsvc/shared'
import { objectsForCallbacks, type Shares } from '@memsvc/shared/internal'
import { constants, getrlimit, setrlimit } from 'memfd-native'
import { DAEMON_LIMITS, RESOURCE_NAMES, RESOURCES, type Resource, type ResourceLimits } from './limits.ts'

/** Node's own (about 25), the listener, the lock, the region, the hub, those kept by systemd. Seen: 31. */
const OWN_DESCRIPTORS = 40
/** The least of a resource with which a daemon is useful. */
const MIN_TOTAL = 4

/** What somebody asked for. */
export type AskedLimits = { readonly [R in Resource]?: Partial<Shares> }

/** Raises the soft limit of open files to the hard one, and answers it. getrlimit(2) */
export function raiseOpenFiles(): number {
  const { soft, hard } = getrlimit(constants.RLIMIT_NOFILE)
  // Node does this at its start as well, but promises it nowhere.
  if (soft < hard) setrlimit(constants.RLIMIT_NOFILE, { soft: hard, hard })
  return hard
}

/**
 * The limits that apply.
 * @param openFiles how many descriptors this process may have
 * @throws ERR_INVALID_ARG_VALUE if the limits that were set do not fit, or if nothing fits; or if there are fewer
 *   objects than callbacks
 */
export function fitLimits(asked: AskedLimits, openFiles: number): ResourceLimits {
  const totals = fitTotals(asked, openFiles - OWN_DESCRIPTORS - DAEMON_LIMITS.reserve.limit, openFiles)
  const limits = Object.fromEntries(
    RESOURCE_NAMES.map((resource) => [resource, sharesOf(resource, totals[resource], asked[resource] ?? {})]),
  ) as Record<Resource, Shares>
  return { ...limits, objects: objectsForCallbacks(limits, asked) }
}

/** Small limits are fitted first; the large ones share the rest. */
function fitTotals(asked: AskedLimits, room: number, openFiles: number): Record<Resource, number> {
  const totals = Object.fromEntries(
    RESOURCE_NAMES.map((resource) => [resource, asked[resource]?.total ?? RESOURCES[resource].total]),
  ) as Record<Resource, number>
  const counted = RESOURCE_NAMES.filter(usesDescriptor).sort((a, b) => totals[a] - totals[b])
  const fixed = counted.filter((resource) => asked[resource]?.total !== undefined)
  const flexible = counted.filter((resource) => !fixed.includes(resource))
  let left = room - fixed.reduce((sum, resource) => sum + totals[resource], 0)
  const least = flexible.length * MIN_TOTAL
  if (left < least) throw tooMany(fixed, { totals, openFiles, least })
  for (const [i, resource] of flexible.entries()) {
    totals[resource] = Math.min(totals[resource], Math.floor(left / (flexible.length - i)))
    left -= totals[resource]
  }
  return totals
}

function usesDescriptor(resource: Resource): boolean {
  return 'usesDescriptor' in RESOURCES[resource]
}

interface Budget {
  readonly totals: Record<Resource, number>
  readonly openFiles: number
  /** For those that nobody asked for. */
  readonly least: number
}

function tooMany(fixed: Resource[], { totals, openFiles, least }: Budget): InvalidArgValueError {
  const own = OWN_DESCRIPTORS + DAEMON_LIMITS.reserve.limit + least
  const wishes = fixed.map((resource) => ` and ${totals[resource]} ${resource}`).join('')
  return new InvalidArgValueError(
    `the hard limit of ${openFiles} open files is too low: the daemon itself needs at least ${own}${wishes}. ` +
      'Raise it (LimitNOFILE=, prlimit --nofile), or lower the limits',
  )
}

/**
 * One user gets at most three quarters of the total, and one peer at most as much as a user, unless the limits were set
 * otherwise.
 */
function sharesOf(resource: Resource, total: number, asked: Partial<Shares>): Shares {
  const { perUser, perPeer }: Shares = RESOURCES[resource]
  const ofUser = asked.perUser ?? Math.min(perUser, Math.max(1, Math.floor((3 * total) / 4)))
  if (perPeer === undefined) return { total, perUser: ofUser }
  return { total, perUser: ofUser, perPeer: asked.perPeer ?? Math.min(perPeer, ofUser) }
}
