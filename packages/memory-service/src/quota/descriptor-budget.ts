/**
 * The daemon never meets EMFILE by its own limits: what may be open at once is decided at the start, by what the kernel
 * allows. Limits that nobody asked for are lowered until they fit; those that somebody asked for must fit.
 */
import { InvalidArgValueError } from '@memsvc/shared'
import { objectsForCallbacks, type Shares } from '@memsvc/shared/internal'
import { constants, getrlimit, setrlimit } from 'memfd-native'
import { DAEMON_LIMITS, RESOURCE_NAMES, RESOURCES, type Resource, type ResourceLimits } from './limits.ts'

/** Node's own (about 25), the listener, the lock, the region, the hub, those kept by systemd. Seen: 31. */
const OWN_DESCRIPTORS = 40
/** Of a resource, so that a daemon is of any use. */
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
 * The limits to go by.
 * @param openFiles descriptors that this process may have
 * @throws ERR_INVALID_ARG_VALUE what was asked for does not fit, or nothing does; fewer objects than callbacks
 */
export function fitLimits(asked: AskedLimits, openFiles: number): ResourceLimits {
  const totals = fitTotals(asked, openFiles - OWN_DESCRIPTORS - DAEMON_LIMITS.reserve.limit, openFiles)
  const limits = Object.fromEntries(
    RESOURCE_NAMES.map((resource) => [resource, sharesOf(resource, totals[resource], asked[resource] ?? {})]),
  ) as Record<Resource, Shares>
  return { ...limits, objects: objectsForCallbacks(limits, asked) }
}

/** Small wishes are granted first; the large ones share what is left. */
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

/** One user gets at most three quarters, one peer no more than one user, unless somebody asked for it. */
function sharesOf(resource: Resource, total: number, asked: Partial<Shares>): Shares {
  const { perUser, perPeer }: Shares = RESOURCES[resource]
  const ofUser = asked.perUser ?? Math.min(perUser, Math.max(1, Math.floor((3 * total) / 4)))
  if (perPeer === undefined) return { total, perUser: ofUser }
  return { total, perUser: ofUser, perPeer: asked.perPeer ?? Math.min(perPeer, ofUser) }
}
