export { SyscallError } from 'memfd-native'
export { Binder, type BinderOptions } from './binder/binder.ts'
export { BinderProxy } from './binder/binder-proxy.ts'
export { IBinder, Parcelable } from './binder/ibinder-values.ts'
export {
  defineInterface,
  type Implementation,
  type ImplementationOf,
  type InterfaceParts,
  type InterfaceSpec,
  type MethodSpec,
  type Remote,
} from './binder/interface.ts'
export { type ParcelType, types } from './binder/parcel-types.ts'
export { withOptions } from './binder/with-options.ts'
export { DEFAULT_SERVICE_NAME, IMemoryService } from './interfaces/memory-service.ts'
export { IWatch, IWatcher } from './interfaces/watch.ts'
export { ashmem } from './os/ashmem.ts'
export type { OnClose } from './os/close-listener.ts'
export { FileDescriptor } from './os/file-descriptor.ts'
export { MemoryFile } from './os/memory-file.ts'
export { MemoryInputStream, MemoryOutputStream } from './os/memory-file-streams.ts'
export { ParcelFileDescriptor } from './os/parcel-file-descriptor.ts'
export { CONTENTS_FILE_DESCRIPTOR, PARCELABLE_WRITE_RETURN_VALUE } from './os/parcel-port.ts'
export type { SharedMapping } from './os/shared-mapping.ts'
export { SharedMemory } from './os/shared-memory.ts'
export type { DeathRecipient, IInterface } from './parcel/ibinder.ts'
export { Parcel } from './parcel/parcel.ts'
export type { Creator } from './parcel/parcelable.ts'
export type { Shares } from './quota/shares.ts'
export type { OnRegistration } from './service-manager/notifications.ts'
export type { ServiceInfo } from './service-manager/registry-interface.ts'
export type { ServiceLimits, ServiceResource } from './service-manager/service-limits.ts'
export {
  type AddServiceOptions,
  type ConnectOptions,
  type ManagerOptions,
  ServiceManager,
} from './service-manager/service-manager.ts'
export type { StoreEdit, WriteOptions } from './store/edits.ts'
export type { DeepReadonly, Json } from './store/json.ts'
export type { StoreLimits } from './store/limits.ts'
export { OwnedStore } from './store/owned-store.ts'
export type { OwnedAreaRule, OwnedStoreOptions } from './store/owned-store-options.ts'
export type { StoreChange, StoreSnapshotEntry } from './store/reading.ts'
export { type OpenOptions, SharedStore } from './store/shared-store.ts'
export type { StoreStatus } from './store/store-attachment.ts'
export type { SetOptions } from './store/store-calls.ts'
export type { ChangesOptions } from './store/store-changes.ts'
export type { StoreEntry } from './store/store-entry.ts'
export { IStore, IStoreListener } from './store/store-interface.ts'
export { DEFAULT_STORE_NAME } from './store/store-name.ts'
export type { ReadBytesOptions } from './store/store-reader.ts'
export * from './util/errors.ts'
export type { CallOptions } from './util/patience.ts'
export { OwnedValue, type OwnedValueOptions } from './value/owned-value.ts'
export { SharedValue } from './value/shared-value.ts'
