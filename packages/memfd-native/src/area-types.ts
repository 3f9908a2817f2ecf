/** What native code answers about an area. */

/** What the header of an area says. */
export interface AreaHeader {
  /** In bytes. */
  capacity: number
  /** How many keys it can have. */
  maxKeys: number
  /** How many changes a watcher may be behind before it has to compare everything. */
  logSize: number
  /** Random, of this area. */
  epoch: bigint
  /** The version that it began with. */
  base: bigint
  /** `areaStates` */
  state: number
  /** The version of the last transaction. */
  committed: bigint
  /** How many keys have a value. What the owner says. */
  liveKeys: number
  /** 0 none, 1 syncing, 2 live, 3 stale, 4 refused. */
  replicaState: number
  /** Of its origin, in the origin's numbers. */
  applied: bigint
  /** When a replica last heard of its origin, in nanoseconds of CLOCK_BOOTTIME. */
  contact: bigint
}

/** How much of its memory an area uses: of AreaStats what is asked often. */
export type AreaRoom = Pick<AreaStats, 'allocatedBytes' | 'usedBytes' | 'reservedBlocks'>

/** What an area holds; bytes where nothing else is said. */
export interface AreaStats {
  /** Of all of it. */
  capacity: number
  /** For blocks: the values, long keys, the index. */
  heapBytes: number
  /** Of it: in blocks that are in use, with their headers and what their size class adds. */
  usedBytes: number
  /** Of it: once used and free again. Blocks that were never used are in neither. */
  freeBytes: number
  /** What the heap takes of the machine's memory. It is never given back: only by moving to another area. */
  allocatedBytes: number
  /** The values themselves. */
  valueBytes: number
  /** That have a value. */
  keys: number
  /** Deleted, and not yet retired. */
  deletedKeys: number
  /** That were ever in use. */
  entries: number
  /** How often free blocks were joined. */
  joins: number
  /** How many places are reserved for values to come. */
  reservedBlocks: number
  /**
   * When the last transaction was carried out, here or in the area that was copied from: milliseconds since 1970, no earlier than it was and
   * at most a tick of the kernel (1 to 10) later. 0: there was none.
   */
  changedAt: number
  /** The last version given. */
  committed: bigint
}
