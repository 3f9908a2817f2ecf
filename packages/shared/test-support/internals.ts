/** What the tests use of this package beyond its public names. */
export { Session } from '../src/binder/session.ts'
export { Channel } from '../src/channel/channel.ts'
export { makeChannelPair } from '../src/channel/channel-pair.ts'
export type { ChannelBudget } from '../src/channel/held-bytes.ts'
export { CHANNEL_LIMITS } from '../src/channel/limits.ts'
export { MAX_DATA_BYTES, MAX_OBJECTS, STATUS_LIMIT, Violation } from '../src/channel/message.ts'
export { OutgoingBody } from '../src/channel/outgoing-body.ts'
export { CommChannel } from '../src/os/comm-channel.ts'
export { STATUS } from '../src/os/comm-status.ts'
export { blockingSocketPair, type DescriptorEnd, reliableEnds } from '../src/os/descriptor-ends.ts'
export { borrowFd, wrapOwnedFd } from '../src/os/file-descriptor.ts'
export { own } from '../src/os/parcel-file-descriptor.ts'
export { interfaceToken } from '../src/parcel/interface-token.ts'
export { takeDescriptor } from '../src/parcel/object-table.ts'
export {
  descriptorOf,
  type ParcelObject,
  parcelContents,
  parcelFromWire,
  replaceContents,
} from '../src/parcel/parcel-objects.ts'
export { Admission } from '../src/quota/admission.ts'
export { Ledger } from '../src/quota/ledger.ts'
export { sendAttachment } from '../src/service-manager/attachment.ts'
export { IServiceManager } from '../src/service-manager/registry-interface.ts'
export type { ChannelPolicy, Visit } from '../src/service-manager/registry-link.ts'
export { findRegistry } from '../src/service-manager/registry-path.ts'
export { defaultPolicy } from '../src/service-manager/service-channels.ts'
export { fitServiceLimits } from '../src/service-manager/service-limits.ts'
export { type PrefixGroup, PrefixGroups } from '../src/store/prefix-groups.ts'
export type { HandedArea, Outcome } from '../src/store/store-interface.ts'
export { VALUE_LIMITS } from '../src/value/limits.ts'
export { WatchService } from '../src/value/watch-service.ts'
export { Watchers } from '../src/value/watchers.ts'
export { NoticeGroup, Notices, type Told } from '../src/watching/notices.ts'
