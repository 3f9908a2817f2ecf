/**
 * Watching a region: the service tells each watcher oneway that something changed, never what. The value is in the
 * region. At most one notice per watcher is unacknowledged, so a watcher that sleeps costs the service nothing, and the
 * last change is always told.
 */
import { defineInterface } from '../binder/interface.ts'
import { types } from '../binder/parcel-types.ts'

/** How a client watches a value. The service serves it on the same binder as its own interface. */
export const IWatch = defineInterface('memsvc.IWatch', {
  watch: { code: 1001, args: [types.binder] },
  unwatch: { code: 1002, args: [types.binder] },
  acknowledge: { code: 1003, args: [types.binder], oneway: true },
})

/** The callback of a watcher. */
export const IWatcher = defineInterface('memsvc.IWatcher', {
  onChange: { code: 1, args: [], oneway: true },
})
