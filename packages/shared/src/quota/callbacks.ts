/**
 * Each callback is an object of its peer, so a peer with many watchers needs as many objects. If the limit of callbacks
 * is raised, that of objects rises with it, unless both are set.
 */
import { CHANNEL_LIMITS } from '../channel/limits.ts'
import { InvalidArgValueError } from '../util/errors.ts'
import type { Shares } from './shares.ts'

/** Resources that are counted twice: as themselves, and as objects. */
const CALLBACKS = ['watchers', 'notifications'] as const
type Callbacks = (typeof CALLBACKS)[number]

type Asked = { readonly [R in Callbacks | 'objects']?: Partial<Shares> }
type Limits = { readonly [R in Callbacks]?: Shares } & { readonly objects: Shares }

/**
 * The limit of objects that the callbacks leave room for.
 * @param asked what somebody said of these limits
 * @throws ERR_INVALID_ARG_VALUE if both were given and do not fit together, or for more on one channel than it can have objects
 */
export function objectsForCallbacks(limits: Limits, asked: Asked): Shares {
  for (const callbacks of CALLBACKS) checkAsked(callbacks, asked[callbacks] ?? {}, asked.objects ?? {})
  const { objects } = limits
  const total = withRoom(objects.total, 'total', limits, asked)
  const perUser = Math.min(withRoom(objects.perUser, 'perUser', limits, asked), total)
  if (objects.perPeer === undefined) return { total, perUser }
  return { total, perUser, perPeer: withRoom(objects.perPeer, 'perPeer', limits, asked) }
}

function withRoom(count: number, share: keyof Shares, limits: Limits, asked: Asked): number {
  const isAsked = CALLBACKS.some((callbacks) => asked[callbacks]?.[share] !== undefined)
  if (!isAsked || asked.objects?.[share] !== undefined) return count
  const needed = CALLBACKS.map((callbacks) => limits[callbacks]?.[share] ?? 0)
  // A channel has one kind of them.
  return Math.max(count, share === 'perPeer' ? Math.max(...needed) : needed.reduce((sum, each) => sum + each, 0))
}

function checkAsked(callbacks: Callbacks, asked: Partial<Shares>, objects: Partial<Shares>): void {
  for (const share of ['total', 'perUser', 'perPeer'] as const) {
    const count = asked[share] ?? 0
    const room = objects[share] ?? Number.POSITIVE_INFINITY
    if (count > room) {
      throw new InvalidArgValueError(
        `${callbacks}.${share} must be at most objects.${share}, which is ${room}, because each callback is an object; it is ${count}`,
      )
    }
  }
  const { proxies } = CHANNEL_LIMITS
  if ((asked.perPeer ?? 0) > proxies.limit) {
    throw new InvalidArgValueError(
      `${callbacks}.perPeer must be at most ${proxies.limit}, because a channel has at most that many objects; it is ${asked.perPeer}`,
    )
  }
}
