/** `memclient read` in the usual case, in a small bundle that is tried first. If it declines, the whole tool runs. */
import { Deadline, findRegistry, readRegistryOptions, readTimeout, tryReadValue } from '@memsvc/shared/internal'
import { readPlainArguments } from './arguments.ts'
import { formatValue, printDirectly } from './commands/output.ts'

const STDOUT = 1

/**
 * @param begin as `main` has it, or now
 * @returns whether the value has been printed; otherwise the library is to begin
 */
export async function tryRead(argv: readonly string[], begin?: number): Promise<boolean> {
  const asked = readPlainArguments(argv, new Map([['read', { operands: ['[name]'] }]]))
  if (asked === null) return false
  const { operands, options } = asked
  const [name = 'AnonymousSharedMemory'] = operands
  try {
    const { leftMs } = new Deadline(readTimeout(options.timeout), begin)
    const place = findRegistry(readRegistryOptions(options))
    const value = await tryReadValue(place, name, leftMs)
    if (value === null) return false
    await printDirectly(STDOUT, () => process.stdout)(formatValue(options.json === true, name, value))
    return true
  } catch {
    return false // also where printing failed: the library will fail at it again, and knows what to say
  }
}
