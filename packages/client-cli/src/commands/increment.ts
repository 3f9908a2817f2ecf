import { checkKey, EXIT, type ExitCode, NO_TTL } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { answered, findOwner } from './owner.ts'
import { readNumber, readTtl } from './store-options.ts'
import { jsonLine } from './value-text.ts'

/** `memclient increment KEY [BY]`: prints the sum. */
export async function increment(context: Context, key: string, by = '1'): Promise<ExitCode> {
  checkKey(key)
  const number = readNumber(by)
  const ttlMs = readTtl(context.options.ttl) ?? NO_TTL
  using owner = await findOwner(context)
  const value = await answered(context, owner.name, owner.calls.increment(key, number, ttlMs))
  await context.print(jsonLine(context.json ? { key, value } : value))
  return EXIT.done
}
