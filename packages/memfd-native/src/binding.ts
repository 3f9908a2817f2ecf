/** Loads the addon once per thread and types its surface; `unwrap` is the one place where an errno becomes an error. */
import type { AreaHeader, AreaStats } from './area-types.ts'
import type { HubArrays } from './hub-arrays.ts'
import { findAddon, loadAddon, packageRoot } from './load-addon.ts'
import { hasPolls } from './runtime.ts'
import { SyscallError } from './syscall-error.ts'

/** Names one mapping or watcher of this thread. A stale one names nothing; 0 never does. */
export type Handle = number

export const NO_HANDLE: Handle = 0

/** How large an area is, and where its numbers begin: `AreaOptions`. */
export interface NativeGeometry {
  readonly capacity: number
  readonly maxKeys: number
  readonly logSize: number
  readonly base: bigint
  readonly epoch: bigint
}

/** What stat(2) returns about a file. */
export interface FileStatus {
  /** The device; together with `ino` it identifies the file. All memfds have the same device. */
  dev: number
  /** The inode number, unique on its device as long as the file exists. */
  ino: number
  /** Type (S_IFMT) and permission bits, inode(7). */
  mode: number
  /** The number of names (hard links); 0 for a memfd. */
  nlink: number
  /** Of its owner. */
  uid: number
  /** In bytes. */
  size: number
  /** The memory or disk space that it uses, in units of 512 bytes. */
  blocks: number
}

/** The identity of a process, as the kernel reports it: SCM_CREDENTIALS, SO_PEERCRED, unix(7). */
export interface Credentials {
  /** The process id; 0 if the process is in a pid namespace that is not visible from here. */
  pid: number
  /** The user id, as the receiver's user namespace shows it; 65534 if the user has none there. */
  uid: number
  /** The group id, in the same way. */
  gid: number
}

/** The functions that the addon makes for one hub; all answer a result >= 0 or a negative errno. */
export interface NativeHub {
  /** @param acceptsFileDescriptors 2: and uses the reserve */
  add(fd: number, listener: number, acceptsFileDescriptors: number): number
  remove(slot: number): number
  interest(slot: number, readable: number, writable: number): number
  renumber(slot: number, lowest: number): number
  stopCredentials(slot: number): number
  widenSendBuffer(slot: number, bytes: number): number
  unread(slot: number): number
  hasHungUp(slot: number): number
  detach(slot: number): number
  takeIn(slot: number, next: number): number
  send(slot: number, length: number, fdCount: number): number
  sendWith(slot: number, length: number, rest: Uint8Array): number
  broadcast(count: number, length: number, wordAt: number): number
  flush(count: number, isLast: number): number
  /** @param uid as an int32 @param length of the farewell, which is in `outgoing` */
  refuse(slot: number, uid: number, microseconds: number, length: number): number
  join(slot: number, group: number): number
  closeGroup(group: number): number
  admit(group: number, count: number): number
  openGroup(group: number): number
  batchTime(): number
  ref(on: number): number
}

/** Every function answers a result >= 0 or a negative errno; wrong argument types throw TypeError. */
export interface NativeBinding {
  adopt(fd: number): number
  close(fd: number): number
  release(fd: number): number
  dup(fd: number, lowest: number): number
  reopen(fd: number, flags: number): number
  lseek(fd: number, offset: number, whence: number): number
  setNonBlocking(fd: number, on: boolean): number
  /** @param out dev, ino, mode, nlink, uid, size, blocks */
  fstat(fd: number, out: Float64Array): number
  pathStatus(path: string, follow: boolean, out: Float64Array): number
  fileIdentity(path: string): string | number
  pipe(flags: number): [number, number] | number
  lockFile(fd: number): number

  memfdCreate(name: string, flags: number): number
  addSeals(fd: number, seals: number): number
  getSeals(fd: number): number
  ftruncate(fd: number, size: number): number
  fallocate(fd: number, mode: number, offset: number, length: number): number
  fchmod(fd: number, mode: number): number

  mapMemory(fd: number, length: number, prot: number, flags: number, offset: number): Handle
  unmapMemory(handle: Handle): number
  /**
   * For all threads: [bytes of zeros in place of unmapped memory, bytes that were moved out of threads that have
   * ended].
   */
  keptMemory(): [number, number]
  /** Of each copy that comes: offset, offset in the array, count. Native code reads them there and checks them. */
  useCopyArgs(args: Float64Array): void
  readMemory(handle: Handle, target: Uint8Array): void
  writeMemory(handle: Handle, source: Uint8Array): void
  fillMemory(handle: Handle, offset: number, count: number, byte: number): void
  readInt32LE(handle: Handle, offset: number): number
  readInt32BE(handle: Handle, offset: number): number
  /** The word itself; 0 after unmapMemory. Null where the runtime allows no memory outside its heap. */
  wordView(handle: Handle, offset: number): ArrayBuffer | null
  /** The bytes themselves, as wordView. */
  rangeView(handle: Handle, offset: number, count: number): ArrayBuffer | null
  writeInt32LE(handle: Handle, offset: number, value: number): void
  writeInt32BE(handle: Handle, offset: number, value: number): void

  mapView(size: number, prot: number, flags: number, fd: number, offset: number): ArrayBuffer | number
  unmapView(buffer: Uint8Array): number
  protect(buffer: Uint8Array, prot: number): number
  advise(buffer: Uint8Array, offset: number, length: number, advice: number): number
  sync(buffer: Uint8Array, offset: number, length: number, flags: number): number
  inCore(buffer: Uint8Array): [number, number] | number
  pageSize(): number

  socketpair(type: number): [number, number] | number
  socket(type: number): number
  bind(fd: number, path: string): number
  listen(fd: number, backlog: number): number
  accept(fd: number): number
  connect(fd: number, path: string): number
  /** @param out pid, uid, gid */
  peerCredentials(fd: number, out: Float64Array): number
  peerPidfd(fd: number): number
  peerGroups(fd: number): number[] | number
  /** Its 32 bits, without a sign. */
  socketOption(fd: number, option: number): number
  setSocketOption(fd: number, option: number, value: number): number
  socketName(fd: number): string | number
  setPassCredentials(fd: number, on: boolean): number
  setPassRights(fd: number, on: boolean): number
  shutdown(fd: number, how: number): number
  unreadBytes(fd: number): number

  /** @param to '' where the socket is connected */
  sendmsg(fd: number, fds: number[], data: Uint8Array, flags: number, to: string): number
  recvmsg(fd: number, data: Uint8Array, maxFds: number, flags: number): NativeMessage | number

  hubCreate(callback: () => void, arrays: HubArrays): NativeHub | number

  watch(fd: number, writable: boolean, callback: () => void): Handle
  unwatch(handle: Handle): number
  setWatchRef(handle: Handle, on: boolean): number
  pollByThread(): number

  /** For the numbers of the call that comes and of its results: area-words.ts. */
  areaUseWords(words: Int32Array): ArrayBuffer
  areaAttach(fd: number): Handle
  areaDetach(handle: Handle): number
  /** The handle, the rest and what it answers are in the words. */
  areaRead(key: string, target: Uint8Array | null): void
  areaIsWord(handle: Handle, at: number, low: number, high: number): boolean
  /** How many bytes before the heap. */
  areaVisible(handle: Handle): number
  /** Those bytes themselves: zeros after areaDetach. Null where the runtime allows no memory outside its heap. */
  areaView(handle: Handle, offset: number, count: number): ArrayBuffer | null
  areaHeader(handle: Handle): AreaHeader
  areaKeys(handle: Handle, prefix: string): string[] | number
  areaKeysAt(handle: Handle, place: number, count: number): string[] | number
  areaSnapshot(handle: Handle, which: readonly string[] | string, maxBytes: number): unknown[] | number
  areaOpenFeed(handle: Handle, prefix: string): Handle
  areaCloseFeed(feed: Handle): number
  areaMoveFeed(feed: Handle, handle: Handle): number
  areaTakeKnown(feed: Handle, from: Handle): number
  areaSkipPresent(feed: Handle): number
  areaPoll(feed: Handle): unknown[] | number

  areaCreate(fd: number, geometry: NativeGeometry): Handle
  areaClose(handle: Handle): number
  /** As areaRead. @param value null: in the words */
  areaPut(key: string, value: Uint8Array | null): void
  areaReserve(handle: Handle, byteLength: number, type: number): number
  areaWrite(handle: Handle, block: number, position: number, bytes: Uint8Array): number
  areaAbandon(handle: Handle, block: number): number
  areaCommit(handle: Handle, keys: string[], blocks: number[]): number
  areaLoad(handle: Handle, key: string, type: number, value: Uint8Array, version: bigint): number
  areaPrepare(handle: Handle, keys: number, bytes: number): number
  areaCopyAll(handle: Handle, to: Handle): number
  areaRetire(handle: Handle, limit: number): number
  areaSkipTo(handle: Handle, version: bigint): number
  areaRebuild(handle: Handle): number
  areaMark(handle: Handle, state: number): number
  areaReplica(handle: Handle, state: number, applied: bigint, contact: bigint): number
  /** As areaRead. */
  areaRoom(): void
  areaStats(handle: Handle): AreaStats

  /** Answers what it answers, and throws what it throws. */
  inNoContext(callback: () => unknown): unknown

  setDumpable(on: boolean): number
  getDumpable(): number
  getLimit(resource: number): [number, number] | number
  setLimit(resource: number, soft: number, hard: number): number
  bootTime(): number
  kcmp(pid: number, otherPid: number, type: number, index: number, otherIndex: number): number
}

/** What recvmsg answers; its descriptors are JavaScript's already. */
export interface NativeMessage {
  size: number
  flags: number
  credentials: Credentials | null
  address: string
  fds: number[]
}

/** In one file with a program this module lies nowhere, or elsewhere: see `packageRoot`; MEMFD_NATIVE_ADDON says where the addon is. */
const PACKAGE_ROOT = packageRoot(import.meta.dirname)

export const native = loadAddon(PACKAGE_ROOT) as NativeBinding
if (!hasPolls()) native.pollByThread()

/** The path of the native binary that this module has loaded. */
export function addonPath(): string {
  return findAddon(PACKAGE_ROOT)
}

/** Returns a result, or throws the errno if it is negative. */
export function unwrap<T>(syscall: string, result: T | number, detail?: string): T {
  if (typeof result === 'number' && result < 0) throw new SyscallError(syscall, result, detail)
  return result as T
}
