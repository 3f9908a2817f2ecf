/** What became of an attempt: 'ok', or the error's code. Closes or unmaps what it answered. */
export function codeOf(attempt: () => unknown): string {
  try {
    const result = attempt()
    if (typeof result === 'object' && result !== null && Symbol.dispose in result) {
      ;(result as Disposable)[Symbol.dispose]()
    }
    return 'ok'
  } catch (error) {
    return codeOfError(error)
  }
}

function codeOfError(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  throw error
}
