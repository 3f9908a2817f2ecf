/** What a call answers, or the code of the error it throws: one cell of a table of states. */
export function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}
