/** What is known about one region and its holders: it is drawn, and printed with `--json`. */

/** A descriptor of the region. */
export interface HeldDescriptor {
  readonly pid: number
  /** Its number in that process. */
  readonly fd: number
  /** O_ flags of the open file, and O_CLOEXEC of the descriptor: open(2). Null where only the process itself could tell, and does not. */
  readonly flags: number | null
  readonly access: 'read-only' | 'write-only' | 'read-write' | 'unknown'
  /** Of the open file, in bytes. */
  readonly offset: number | null
  /** Which of the open files it leads to. Null: the kernel does not tell this user. */
  readonly openFile: number | null
}

/** A part of a process' memory that is the region's. */
export interface HeldMapping {
  readonly pid: number
  /** Addresses, hexadecimal as in /proc/PID/maps. */
  readonly start: string
  readonly end: string
  /** As in /proc/PID/maps: `r--s`. */
  readonly permissions: string
  /** Where in the region it begins, in bytes. */
  readonly offset: number
  readonly bytes: number
  /** How many of its pages this process has touched; null if unknown. proc_pid_smaps(5) */
  readonly residentPages: number | null
}

/** A process that holds the region. */
export interface Holder {
  readonly pid: number
  readonly uid: number
  /** What it was started as, shortened. */
  readonly command: string
  /** `proc`: from the kernel. `daemon`: from the daemon itself, because this user may not look into it. */
  readonly source: 'proc' | 'daemon'
  readonly descriptors: readonly HeldDescriptor[]
  readonly mappings: readonly HeldMapping[]
}

/** An open file of the kernel's (`struct file`), to which one or more descriptors lead. */
export interface OpenFile {
  /** From 1, for this answer only. */
  readonly id: number
  readonly access: HeldDescriptor['access']
  readonly offset: number | null
  /** How many of the descriptors lead to it. */
  readonly descriptors: number
}

export interface Inspection {
  readonly name: string
  /** Of an area of a store: the keys that lie in it. */
  readonly keys?: readonly string[]
  readonly inode: number
  /** In bytes. */
  readonly size: number
  /** F_SEAL_ bits, fcntl(2), and their names. */
  readonly seals: number
  readonly sealNames: readonly string[]
  readonly pageSize: number
  readonly pages: number
  /** Of the region, in memory now: mincore(2). */
  readonly residentPages: number
  readonly processes: readonly Holder[]
  readonly openFiles: readonly OpenFile[]
  /** What could not be seen, and why: a sentence each. */
  readonly unseen: readonly string[]
}
