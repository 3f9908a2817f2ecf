/** A store, as its keeper sees it. */
import type { OwnedFd } from 'memfd-native'
import type { KeptStore } from './keeper.ts'
import type { OwnedArea } from './owned-area.ts'
import type { StoreCore } from './store-core.ts'

export function keptStore(core: StoreCore): KeptStore {
  return {
    read: (key) => {
      const record = core.reader.recordOf(key)
      return record === null ? null : { ...record, ...core.noteOf(key) }
    },
    noteOf: (key) => core.noteOf(key),
    get notedKeys() {
      return core.notedKeys
    },
    versionOf: (key) => core.reader.versionOf(key),
    get keys() {
      return core.reader.keys()
    },
    get maxKeys() {
      return core.areas.reduce((sum, { size }) => sum + size.maxKeys, 0)
    },
    get versions() {
      return core.areas.map(({ version }) => version)
    },
    shareAreas: () => shareAll(core.areas),
  }
}

function shareAll(areas: readonly OwnedArea[]): OwnedFd[] {
  const shared: OwnedFd[] = []
  try {
    for (const area of areas) shared.push(area.share())
    return shared
  } catch (error) {
    for (const fd of shared) fd.close()
    throw error
  }
}
