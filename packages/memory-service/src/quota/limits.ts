/**
 * The daemon's limits, as data: the code goes by these tables, the configuration file changes them, `memsvc limits` and
 * the README show them.
 */
import {
  CHANNEL_LIMITS,
  CONNECTION_RATE,
  type Limit,
  MAX_NAME_CHARACTERS,
  MAX_PATH_BYTES,
  ofOnePeer,
  ofOneUser,
  type Shares,
  STORE_LIMITS,
  type StoreLimits,
  TURN_LIMITS,
  VALUE_LIMITS,
} from '@memsvc/shared/internal'

export interface ResourceRow extends Shares {
  readonly meaning: string
  /** Each is an open descriptor of the daemon, or may become one. */
  readonly usesDescriptor?: boolean
  /** Nothing fails beyond this limit; it continues later. */
  readonly waits?: boolean
}

export const RESOURCES = {
  connections: { total: 4096, perUser: 1024, usesDescriptor: true, meaning: 'connections to the registry' },
  channels: { total: 16_384, perUser: 1024, usesDescriptor: true, meaning: 'channels to the memory service' },
  turnedAway: {
    total: 128,
    perUser: 32,
    usesDescriptor: true,
    meaning: 'refused peers that have not received the error yet',
  },
  names: { total: 4096, perUser: 512, perPeer: 128, meaning: 'services registered by name' },
  pendingSearches: {
    total: 16_384,
    perUser: 4096,
    perPeer: 1024,
    meaning: 'calls of getService that wait for a service that is slow to accept clients',
  },
  notifications: { total: 16_384, perUser: 1024, perPeer: 256, meaning: 'callbacks for registrations' },
  watchers: { total: 65_536, perUser: 4096, perPeer: 256, meaning: 'callbacks for changes of the value' },
  objects: {
    total: 131_072,
    perUser: 16_384,
    perPeer: 4096,
    meaning:
      'binders of peers that the daemon holds or has received in a request under way, and its own binders that peers hold',
  },
  heldBlocks: {
    total: 1024,
    perUser: 256,
    perPeer: 64,
    meaning:
      'blocks of 64 KiB held for peers: answers that they do not read, requests that are not finished (for those the channel ends)',
  },
  unreadDescriptors: {
    total: 2048,
    perUser: 512,
    perPeer: 128,
    usesDescriptor: true,
    waits: true,
    meaning: 'descriptors that were sent but not read; further ones wait until these are read',
  },
  heldDescriptors: {
    total: 2048,
    perUser: 512,
    perPeer: 256,
    usesDescriptor: true,
    meaning: 'descriptors that wait for a peer which does not read',
  },
} as const satisfies Record<string, ResourceRow>

export type Resource = keyof typeof RESOURCES
export type ResourceLimits = Readonly<Record<Resource, Shares>>

export const RESOURCE_NAMES = Object.keys(RESOURCES) as Resource[]

/** One user's at once, and of all who wait to be accepted. */
const ARRIVALS = 1152

export const DAEMON_LIMITS = {
  channelsPerTurn: {
    name: 'new channels in a turn',
    limit: 16,
    unit: 'channels',
    error: null,
    meaning: 'clients brought to one service in one turn of the event loop; the others wait, and users take turns',
  },
  arrivals: {
    name: CONNECTION_RATE,
    limit: ARRIVALS,
    unit: 'connections',
    error: 'ERR_LIMIT',
    meaning:
      "to the registry, at once; for every user except the daemon's own and root; the library tries again for 5 s",
  },
  arrivalsPerSecond: {
    name: 'new connections of one user a second',
    limit: 512,
    unit: 'connections',
    error: null,
    meaning: 'how many more such a user may make each second after that',
  },
  arrivingUsers: {
    name: 'users counted separately',
    limit: 1024,
    unit: 'users',
    error: null,
    meaning: 'whose new connections have a count of their own; all further users share one count',
  },
  acceptPause: {
    name: 'pause of the listener',
    limit: 100,
    unit: 'milliseconds',
    error: null,
    meaning: 'after accept(2) failed; new connections wait in the backlog',
  },
  backlog: {
    name: 'backlog of the listener',
    limit: ARRIVALS, // whoever comes last waits for all of them: 4,096 were 80 ms beside a flood
    unit: 'connections',
    error: 'EAGAIN',
    meaning:
      'connections that wait to be accepted; the library tries again for 5 s. The kernel lowers it to net.core.somaxconn',
  },
  reserve: {
    name: 'reserve of descriptors',
    limit: 16,
    unit: 'descriptors',
    error: null,
    meaning: 'numbers kept free for descriptors that are passed on, or open only for a moment',
  },
  logLinesOfUser: {
    name: 'lines of log about one user',
    limit: 20,
    unit: 'lines',
    error: null,
    meaning: 'in one period; further lines are only counted, and the count is logged',
  },
  logLines: {
    name: 'lines of log about peers',
    limit: 100,
    unit: 'lines',
    error: null,
    meaning: 'the same for all users together',
  },
  logPeriod: {
    name: 'period of the log',
    limit: 10_000,
    unit: 'milliseconds',
    error: null,
    meaning: 'in which lines about peers are counted',
  },
  nameCharacters: {
    name: 'characters of a name',
    limit: MAX_NAME_CHARACTERS,
    unit: 'characters',
    error: 'ERR_INVALID_ARG_VALUE',
    meaning: 'of a service; a search for a longer name finds nothing',
  },
  pathBytes: {
    name: "bytes of the registry's path",
    limit: MAX_PATH_BYTES,
    unit: 'bytes',
    error: 'ERR_INVALID_ARG_VALUE',
    meaning: "the kernel's sockaddr_un",
  },
  configurationBytes: {
    name: 'bytes of the configuration',
    limit: 1024 * 1024,
    unit: 'bytes',
    error: 'ERR_INVALID_ARG_VALUE',
    meaning: 'the file of --config',
  },
  lookupTimeout: {
    name: 'lookup of a user or group',
    limit: 10_000,
    unit: 'milliseconds',
    error: 'ERR_INVALID_ARG_VALUE',
    meaning: 'getent(1), at the start and at a reload',
  },
} as const satisfies Record<string, Limit>

/** Limits that can be set for each store: see the configuration. */
export interface StoreSettings {
  readonly name: string
  readonly capacity: number
  readonly maxKeys: number
  readonly maxValueBytes: number
  readonly limits: Partial<StoreLimits>
}

/** Every limit with its number, and for stores those that differ from the defaults. */
export function listLimits(resources: ResourceLimits, stores: readonly StoreSettings[] = []): Limit[] {
  const counted = RESOURCE_NAMES.flatMap((resource) => rowsOf(resource, resources[resource]))
  return [
    ...counted,
    ...Object.values(STORE_LIMITS),
    ...stores.flatMap(rowsOfStore),
    ...Object.values(DAEMON_LIMITS),
    ...Object.values(VALUE_LIMITS),
    ...Object.values(TURN_LIMITS),
    ...Object.values(CHANNEL_LIMITS),
  ]
}

function rowsOfStore({ name, capacity, maxKeys, maxValueBytes, limits }: StoreSettings): Limit[] {
  const own = Object.entries({ capacity, keys: maxKeys, valueBytes: maxValueBytes, ...limits })
  return own.flatMap(([key, limit]) => {
    const row: Limit = STORE_LIMITS[key as keyof typeof STORE_LIMITS]
    return row.limit === limit ? [] : [{ ...row, name: `${row.name} (${name})`, limit }]
  })
}

function rowsOf(resource: Resource, { total, perUser, perPeer }: Shares): Limit[] {
  const { meaning } = RESOURCES[resource]
  const error = 'waits' in RESOURCES[resource] ? null : 'ERR_LIMIT'
  const rows = [
    { name: resource, limit: total, unit: resource, error, meaning },
    {
      name: ofOneUser(resource),
      limit: perUser,
      unit: resource,
      error,
      meaning: "every user except the daemon's own and root",
    },
  ]
  if (perPeer === undefined) return rows
  return [
    ...rows,
    { name: ofOnePeer(resource), limit: perPeer, unit: resource, error, meaning: 'on one connection or channel' },
  ]
}
