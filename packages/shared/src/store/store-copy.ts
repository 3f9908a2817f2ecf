/** A store, as the origin of its values sees it. */
import type { StoreCopy } from './origin.ts'
import type { StoreCore } from './store-core.ts'

export function copyOf(core: StoreCore): StoreCopy {
  return {
    apply: (edits) => core.apply(edits),
    setReplica: (words) => core.setReplica(words),
    read: (key) => core.reader.recordOf(key),
    versionOf: (key) => core.reader.versionOf(key),
    get keys() {
      return core.reader.keys()
    },
  }
}
