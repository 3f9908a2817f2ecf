/** What native code answers about an area. */

/** The contents of an area's header. */
export interface AreaHeader {
  /** In bytes. */
  capacity: number
  /** How many keys it can have. */
  maxKeys: number
  /** How many changes a watcher may be behind before it must compare all keys. */
  logSize: number
  /** A random number of this area. */
  epoch: bigint
  /** The version with which the area began. */
  base: bigint
  /** `areaStates` */
  state: number
  /** The version of the last transaction. */
  committed: bigint
  /** The number of keys with a value, according to the owner. */
  liveKeys: number
  /** 0 none, 1 syncing, 2 live, 3 stale, 4 refused. */
  replicaState: number
  /** The last revision of its origin that a replica has applied. */
  applied: bigint
  /** The last time when a replica had contact with its origin, in nanoseconds of CLOCK_BOOTTIME. */
  contact: bigint
}

/** How much of its memory an area uses: the part of AreaStats that is needed often. */
export type AreaRoom = Pick<AreaStats, 'allocatedBytes' | 'usedBytes' | 'reservedBlocks'>

/** Numbers about an area, in bytes unless they say otherwise. */
export interface AreaStats {
  /** Of all of it. */
  capacity: number
  /** The size of the heap, which holds the values, the long keys and the index. */
  heapBytes: number
  /** Bytes of the heap in blocks that are in use, with their headers and the unused end of each block. */
  usedBytes: number
  /**
   * Bytes of the heap in blocks that were used and are free again. Blocks that were never used are in neither number.
   */
  freeBytes: number
  /** How much memory of the machine the heap uses. It shrinks only if the values move to another area. */
  allocatedBytes: number
  /** Bytes of the values. */
  valueBytes: number
  /** Keys with a value. */
  keys: number
  /** Keys that are deleted, but not retired yet. */
  deletedKeys: number
  /** Entries that have ever been in use. */
  entries: number
  /** How often free blocks were merged. */
  joins: number
  /** The number of blocks that are reserved for values. */
  reservedBlocks: number
  /**
   * The time of the last transaction, in this area or the one from which it was copied: milliseconds since 1970, up to
   * one tick of the kernel (1 to 10 ms) too late. 0 if there was none.
   */
  changedAt: number
  /** The version of the last transaction. */
  committed: bigint
}
