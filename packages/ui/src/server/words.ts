/** Error messages for the user of the page. */
import { ConflictError, errorCode } from '@memsvc/shared'
import { EXIT, errorText, ToolError } from '@memsvc/shared/internal'

/** As the page gets it. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly words: string
}

const WORDS: Readonly<Record<string, { status: number; words: (text: string) => string }>> = {
  ERR_SECURITY: { status: 403, words: (text) => `Not permitted: ${text}.` },
  ERR_OUT_OF_RANGE: { status: 400, words: (text) => `Out of range: ${text}` },
  ERR_INVALID_ARG_VALUE: { status: 400, words: (text) => text },
  ERR_DEAD_OBJECT: {
    status: 503,
    words: () => 'The service is gone. Nothing was written; it goes on when the service is back.',
  },
  ERR_UNSUPPORTED_OPERATION: { status: 400, words: (text) => capital(text) },
  ERR_SERVICE_NOT_FOUND: { status: 404, words: (text) => text },
  ERR_REGISTRY_UNAVAILABLE: { status: 503, words: (text) => text },
  ERR_CONFLICT: { status: 409, words: () => 'Somebody else has changed it meanwhile.' },
  ERR_LIMIT: { status: 429, words: (text) => `A limit is reached: ${text}` },
  ERR_TIMEOUT: { status: 504, words: () => 'The service has not answered in time. It may still do what it was asked.' },
}

export function describe(error: unknown): Problem {
  const text = errorText(error)
  const code = errorCode(error) ?? ''
  const known = WORDS[code]
  if (known !== undefined) return { status: known.status, code, words: known.words(text) }
  if (error instanceof ToolError)
    return error.exitCode === EXIT.tryAgain
      ? { status: 504, code: 'ERR_TIMEOUT', words: late(text) }
      : { status: 400, code: 'ERR_INVALID_ARG_VALUE', words: capital(text) }
  return { status: 500, code: code === '' ? 'ERR_SERVICE_FAILURE' : code, words: capital(text) }
}

/** The current version; null if it is not a conflict. */
export function conflictOf(error: unknown): string | null {
  return error instanceof ConflictError ? String(error.version) : null
}

/** As the tools say it, but that nobody ends this one. */
function late(text: string): string {
  return `${capital(text.replace(/, try again later$/, ''))}. It may still do what it was asked.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
