/** The reader's callback, by which the owner of a store says where the values are now. It does not keep the process alive. */
import { AreaReader, SyscallError } from 'memfd-native'
import { isBackground } from '../binder/background.ts'
import { readsCallerSynchronously } from '../binder/calling-identity.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { detachOwned } from '../os/parcel-file-descriptor.ts'
import { NotARegionError, UnsafeRegionError } from '../util/errors.ts'
import { reportCallbackError } from '../util/report.ts'
import { type HandedArea, IStoreListener } from './store-interface.ts'
import type { StoreArea } from './store-reader.ts'

export class StoreListener extends IStoreListener.Stub implements ImplementationOf<typeof IStoreListener> {
  readonly #onAreas: (areas: StoreArea[]) => void

  /** @param onAreas owns them from then on */
  constructor(onAreas: (areas: StoreArea[]) => void) {
    super({ acceptFileDescriptors: true })
    this.#onAreas = onAreas
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  override get [isBackground](): boolean {
    return true
  }

  onAreas(handed: readonly HandedArea[]): void {
    try {
      this.#onAreas(attach(handed))
    } catch (error) {
      reportCallbackError('mapping the new areas of a store', error)
    }
  }
}

/**
 * Checks and maps the received areas, and closes the descriptors.
 * @throws ERR_NOT_A_REGION if one is not an area; ERR_UNSAFE_REGION if one could shrink; then nothing stays mapped
 */
export function attach(handed: readonly HandedArea[]): StoreArea[] {
  const areas: StoreArea[] = []
  try {
    for (const area of handed) areas.push({ patterns: area.patterns, reader: attachOne(area) })
    return areas
  } catch (error) {
    for (const { reader } of areas) reader.close()
    throw error
  } finally {
    for (const { descriptor } of handed) descriptor.close()
  }
}

function attachOne({ descriptor }: HandedArea): AreaReader {
  const fd = detachOwned(descriptor)
  try {
    return AreaReader.attach(fd)
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    if (error.code === 'EPERM') throw new UnsafeRegionError('the area could shrink under its reader', { cause: error })
    if (error.code === 'EBADMSG' || error.code === 'EINVAL') {
      throw new NotARegionError('the store sent a descriptor that is not of an area', { cause: error })
    }
    throw error
  } finally {
    fd.close()
  }
}
