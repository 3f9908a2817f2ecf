/** For sibling packages only: what the daemon and the tool need beyond the public surface. No promise to others. */
export { type Caller, readsCallerSynchronously, withoutContext } from './binder/calling-identity.ts'
export { Session, sessionOf } from './binder/session.ts'
export { makeChannelPair } from './channel/channel-pair.ts'
export type { ChannelBudget } from './channel/held-bytes.ts'
export { refundWhatWasRead } from './channel/in-flight.ts'
export { CHANNEL_LIMITS } from './channel/limits.ts'
export { Violation } from './channel/message.ts'
export { TURN_LIMITS } from './channel/turn-limits.ts'
export { type CommandLine, describeCommand } from './command/command-line.ts'
export { completions } from './command/complete.ts'
export { completionScript, SHELLS, type Shell } from './command/completion-scripts.ts'
export { completionSources } from './command/completion-sources.ts'
export { Deadline, MAX_SECONDS, readDecimal, readTimeout } from './command/deadline.ts'
export { errorObject, isJsonAsked } from './command/error-object.ts'
export { isExact, parseExact } from './command/exact-json.ts'
export {
  EXIT,
  EXIT_MEANINGS,
  type ExitCode,
  exitCodeOf,
  ToolError,
} from './command/exit-codes.ts'
export { type OutputPlace, writeOutput } from './command/output-file.ts'
export { type PlainSyntax, type PlainWords, readPlainWords } from './command/plain-words.ts'
export {
  connectInTime,
  findHolder,
  findService,
  listHolders,
  listNames,
  notFound,
  unlessGone,
  waitForRegistry,
} from './command/reach.ts'
export { whenReaderIsGone } from './command/reader-gone.ts'
export { bytesOf, outputError, ReaderGone, writeNow } from './command/stdout.ts'
export {
  errorLine,
  errorText,
  isColoured,
  isDrawable,
  plainLine,
  plainText,
  showProgress,
  tellPeople,
  terminalLine,
} from './command/terminal.ts'
export { drawDot } from './inspect/draw-dot.ts'
export { drawSvg } from './inspect/draw-svg.ts'
export { drawText } from './inspect/draw-text.ts'
export { ownHoldings } from './inspect/inspect-region.ts'
export { type InspectOptions, inspectService } from './inspect/inspect-service.ts'
export type { HeldDescriptor, HeldMapping, Holder, Inspection, OpenFile } from './inspect/inspection.ts'
export { controlOf, IControl } from './interfaces/control.ts'
export { REGION_BYTES } from './interfaces/memory-service.ts'
export { tryReadStatus } from './interfaces/try-read-status.ts'
export { type RegionStatus, regionStatus, sealNames } from './os/region-status.ts'
export { Admission, type AdmittedPeer } from './quota/admission.ts'
export { objectsForCallbacks } from './quota/callbacks.ts'
export { withinDescriptorLimit } from './quota/descriptor-limit.ts'
export { currentName } from './quota/former-names.ts'
export { type Account, type AccountPeer, Ledger } from './quota/ledger.ts'
export { ofOnePeer, ofOneUser, type Shares } from './quota/shares.ts'
export { sendAttachment } from './service-manager/attachment.ts'
export { isOutage } from './service-manager/outage.ts'
export { checkPathTrust, octal, type Step, stepsTo } from './service-manager/path-trust.ts'
export {
  type FoundService,
  IServiceCallback,
  IServiceManager,
} from './service-manager/registry-interface.ts'
export type { ChannelPolicy } from './service-manager/registry-link.ts'
export { type RegistryOptions, readRegistryOptions } from './service-manager/registry-options.ts'
export {
  findRegistry,
  MAX_PATH_BYTES,
  type RegistryChoice,
  type RegistryPlace,
  SYSTEM_REGISTRY_PATH,
} from './service-manager/registry-path.ts'
export { CONNECTION_RATE, connectionRateFarewell } from './service-manager/retry.ts'
export { channelsWithin, ServiceChannels } from './service-manager/service-channels.ts'
export { isServiceName, MAX_NAME_CHARACTERS } from './service-manager/service-name.ts'
export { TrustedUsers } from './service-manager/trusted-users.ts'
export { otherRegistries } from './service-manager/why-unreachable.ts'
export { keysFor, leastCapacity } from './store/area-size.ts'
export type { CoreEdit } from './store/core-edit.ts'
export type { Freshness } from './store/freshness.ts'
export { type Encoded, encodeParsed } from './store/json.ts'
export type { KeptStore, StoreBeginning, StoreKeeper } from './store/keeper.ts'
export { KeyPatterns } from './store/key-patterns.ts'
export { OWN_LIMITS, STORE_LIMITS, type StoreLimits } from './store/limits.ts'
export type { StoreCopy, StoreOrigin } from './store/origin.ts'
export { checkedAreas, checkedLimits, checkedSize, checkedValueBytes } from './store/owned-store-options.ts'
export { type Put, putValue } from './store/put-value.ts'
export { typeName } from './store/reading.ts'
export { type ReplicaState, type ReplicaWords, replicaStates } from './store/replica-words.ts'
export { ANY_VERSION, NO_TTL, type Outcome, type WireEdit } from './store/store-interface.ts'
export { checkKey } from './store/store-key.ts'
export { attach } from './store/store-listener.ts'
export { StoreReader } from './store/store-reader.ts'
export { AreaRecords, type KeyNote, type RecordSource, type StoredRecord } from './store/stored-record.ts'
export { tryReadKey } from './store/try-read-key.ts'
export type { Activity } from './util/activity.ts'
export { MAX_UID, show } from './util/check.ts'
export { counters, countRefusal, refusalCounts } from './util/counters.ts'
export { jsonText } from './util/json-text.ts'
export type { Limit } from './util/limit.ts'
export { NotKeptError, numbered } from './util/service-errors.ts'
export { Signal } from './util/signal.ts'
export { withoutStack } from './util/stack-traces.ts'
export { TransientMap, TransientSet } from './util/transient.ts'
export { VALUE_LIMITS } from './value/limits.ts'
export { tryReadValue } from './value/try-read-value.ts'
export { WatchService } from './value/watch-service.ts'
export { Watchers } from './value/watchers.ts'
