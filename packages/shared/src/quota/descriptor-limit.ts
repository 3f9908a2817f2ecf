/** The limit that nobody here can raise: descriptors of this process, getrlimit(2), or of the machine. */
import { constants, getrlimit } from 'memfd-native'
import { errorCode, LimitError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'

/**
 * Runs `make`, which makes descriptors for a client. If none are left, the client gets a limit error, because the
 * service works correctly.
 * @throws ERR_LIMIT instead of EMFILE and ENFILE
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
