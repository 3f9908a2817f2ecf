/** What the daemon answers about itself, on the same binder as the memory service. */
import { defineInterface } from '../binder/interface.ts'
import { types } from '../binder/parcel-types.ts'

export const IControl = defineInterface('memsvc.IControl', {
  /** A JSON object, see `memsvc status --json`. */
  status: { code: 1101, args: [], returns: types.string },
  /** Ends the daemon, cleanly. @throws ERR_SECURITY unless the caller has its uid or is root */
  stop: { code: 1102, args: [] },
  /** Reads its configuration again. @throws ERR_SECURITY as stop; ERR_INVALID_ARG_VALUE what is wrong in it: nothing changed */
  reload: { code: 1103, args: [] },
})
