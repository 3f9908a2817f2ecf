/** For the tests of sibling packages. */
export { Canary } from './canary.ts'
export { attack, expectedReport, HOLDERS, type Holder, OTHER_OWNER } from './hostile-holder.ts'
export { goodPackets, type HostilePacket, hostilePackets } from './hostile-packets.ts'
export { leakChecked } from './leaks.ts'
export { Lines } from './lines.ts'
export {
  type Ending,
  OTHER_UID,
  otherUserProblem,
  Program,
  type ProgramOptions,
  runProgram,
  startCommand,
  startProgram,
} from './programs.ts'
export { type Packet, RawPeer } from './raw-peer.ts'
export { type SeededRandom, seededRandom } from './seeded-random.ts'
export { type Daemon, type DaemonOptions, newRegistryPath, startDaemon } from './start-daemon.ts'
export { noTerminal, Terminal, type TerminalOptions } from './terminal.ts'
export { watchdog } from './watchdog.ts'
export * as wire from './wire.ts'
