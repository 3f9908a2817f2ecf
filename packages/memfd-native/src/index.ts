export { areaCodes, areaStates, areaTypes, areaWriteCodes } from './area-codes.ts'
export type { AreaOptions } from './area-creation.ts'
export { type AreaChange, type AreaChanges, AreaFeed } from './area-feed.ts'
export { AreaKey } from './area-key.ts'
export { AreaReader, type AreaSnapshot, type AreaValue } from './area-reader.ts'
export type { AreaHeader, AreaRoom, AreaStats } from './area-types.ts'
export { type AreaEdit, AreaWriter } from './area-writer.ts'
export { type AsyncContext, captureContext, inNoContext, inThisContext } from './async-context.ts'
export { addonPath } from './binding.ts'
export type { BroadcastWord } from './broadcasts.ts'
export { constants } from './constants.ts'
export { dispose } from './disposal.ts'
export { errnos } from './errnos.ts'
export {
  dup,
  type FileStatus,
  fileIdentity,
  fstat,
  lockFile,
  lseek,
  lstat,
  pipe,
  reopen,
  setNonBlocking,
  stat,
} from './fd.ts'
export { FdWatcher, type WatchOptions } from './fd-watcher.ts'
export type { ConnectionHandler, PacketHandler, PacketTaker, Refusal } from './handlers.ts'
export { Hub } from './hub.ts'
export { MAX_PACKET_BYTES, MAX_PACKET_FDS } from './hub-arrays.ts'
export { HubGroup } from './hub-group.ts'
export { HubListener, HubSocket } from './hub-socket.ts'
export { type Facts, inspected, introduce, keepFromCloning } from './introduction.ts'
export { LeakDetector, type Watched } from './leak-detector.ts'
export { Mapping } from './mapping.ts'
export { addSeals, fallocate, fchmod, ftruncate, getSeals, memfdCreate } from './memfd.ts'
export { mmap } from './mmap.ts'
export { type Fd, fdNumber, OwnedFd } from './owned-fd.ts'
export {
  bootTime,
  getrlimit,
  isDumpable,
  type KcmpSide,
  kcmp,
  type ResourceLimit,
  setDumpable,
  setrlimit,
} from './process.ts'
export type { ReceivedPacket } from './received-packet.ts'
export type { AttachOptions, ListenOptions } from './slots.ts'
export { SyscallError } from './syscall-error.ts'
export { nodeTimers } from './timers.ts'
export {
  accept,
  bind,
  type Credentials,
  connect,
  getPeerCredentials,
  getPeerGroups,
  getPeerPidfd,
  getSocketName,
  getSocketOption,
  listen,
  type Message,
  recvmsg,
  SHUT_RDWR,
  SHUT_WR,
  sendmsg,
  setPassCredentials,
  setPassRights,
  setSocketOption,
  shutdown,
  socket,
  socketpair,
  unreadBytes,
} from './unix-socket.ts'
export { connectUnixStream, type UnixStream, unixStream } from './unix-stream.ts'
export { USocket, type USocketChunk, type USocketMessage, type USocketOptions } from './usocket.ts'
