/** What a daemon answers about itself: the extension of the binder of each service that it publishes. */
import { defineInterface } from '../binder/interface.ts'
import { types } from '../binder/parcel-types.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { UnsupportedOperationError } from '../util/errors.ts'

export const IControl = defineInterface('memsvc.IControl', {
  /** A JSON object, see `memsvc status --json`. */
  status: { code: 1101, args: [], returns: types.string },
  /** Ends the daemon, cleanly. @throws ERR_SECURITY unless the caller has its uid or is root */
  stop: { code: 1102, args: [] },
  /**
   * Reads its configuration again.
   * @throws ERR_SECURITY as stop; ERR_INVALID_ARG_VALUE for a mistake in it; then nothing has changed
   */
  reload: { code: 1103, args: [] },
  /**
   * The regions that the daemon's process holds, as JSON, because no other process can look.
   * @throws ERR_SECURITY as stop
   */
  holdings: { code: 1104, args: [], returns: types.string },
  /** In Prometheus' text format 0.0.4. @throws ERR_SECURITY as stop */
  metrics: { code: 1105, args: [], returns: types.string },
  /**
   * Sets the level and format of the log; null keeps it. Returns the current ones, as JSON: `level`, `format`.
   * @throws ERR_SECURITY as stop; ERR_INVALID_ARG_VALUE for an unknown level or format
   */
  log: { code: 1106, args: [types.string, types.string], returns: types.string },
})

/** Every Binder and BinderProxy has getExtension, although the interface IBinder does not declare it. */
interface Extensible {
  getExtension?(): Promise<IBinder | null>
}

/**
 * The control interface of the daemon that serves this binder.
 * @throws ERR_UNSUPPORTED_OPERATION if the service does not belong to a daemon, or to an older one; otherwise as
 *   BinderProxy.transact
 */
export async function controlOf(service: IBinder): Promise<NonNullable<ReturnType<typeof IControl.asInterface>>> {
  const extension = await (service as Extensible).getExtension?.()
  if (extension && (await extension.getInterfaceDescriptor()) === IControl.DESCRIPTOR) {
    return IControl.asInterface(extension)
  }
  throw new UnsupportedOperationError(
    'the process that serves this name has no control interface: it is not a memsvc daemon, or an older one',
  )
}
