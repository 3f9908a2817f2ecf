/** The limit that nobody here can raise: descriptors of this process, getrlimit(2), or of the machine. */
import { constants, getrlimit } from 'memfd-native'
import { errorCode, LimitError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'

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
    throw withoutStack(() => new LimitError('descriptors of the process', soft, soft, { cause: error }))
  }
}
