/** `memclient get` in the usual case, in a small bundle that is tried first. If it declines, the whole tool runs. */
import { Deadline, findRegistry, readRegistryOptions, readTimeout, tryReadKey, typeName } from '@memsvc/shared/internal'
import { readPlainArguments } from './arguments.ts'
import { printDirectly } from './commands/output.ts'
import { formatEntry } from './commands/value-text.ts'

const STDOUT = 1

/**
 * @param begin as `main` has it, or now
 * @returns whether the value has been printed; otherwise the library is to begin
 */
export async function tryGet(argv: readonly string[], begin?: number): Promise<boolean> {
  const asked = readPlainArguments(argv, new Map([['get', { operands: ['<key>'], options: ['store'] }]]))
  const [key] = asked?.operands ?? []
  if (asked === null || key === undefined) return false
  const { json = false, store: name = 'SharedStore', timeout } = asked.options
  try {
    const { leftMs } = new Deadline(readTimeout(timeout), begin)
    const place = findRegistry(readRegistryOptions(asked.options))
    const raw = await tryReadKey({ place, name, timeoutMs: leftMs }, key)
    if (raw === null || (json && raw.isCopy)) return false
    const { version, bytes } = raw
    const type = typeName(raw.type)
    const value = type === 'bytes' ? new Uint8Array(bytes) : JSON.parse(bytes.toString())
    await printDirectly(STDOUT, () => process.stdout)(formatEntry(json, { key, value, version, type }))
    return true
  } catch {
    return false // also where printing failed: the library will fail at it again, and knows what to say
  }
}
