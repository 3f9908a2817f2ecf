/** The limit that the daemon cannot raise: descriptors of this process, getrlimit(2), or of the machine. */
import { errorCode, LimitError } from '@memsvc/shared'
import { constants, getrlimit, withoutStack } from '@memsvc/shared/internal'

/**
 * Runs `make`, which makes descriptors for a client. That there are none is a limit to him, and no fault of the service.
 * @throws ERR_LIMIT in place of EMFILE and ENFILE
 */
export function withinDescriptorLimit<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!['EMFILE', 'ENFILE'].includes(errorCode(error) ?? '')) throw error
    const { soft } = getrlimit(constants.RLIMIT_NOFILE)
    throw withoutStack(() => new LimitError('descriptors of the daemon', soft, soft, { cause: error }))
  }
}
