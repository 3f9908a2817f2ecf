import { EXIT, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { openReader } from './owner.ts'
import { jsonLine } from './value-text.ts'

/** Printed at once. */
const LINES = 1000

/** `memclient keys [PREFIX]`: sorted, one a line. */
export async function keys(context: Context, prefix = ''): Promise<ExitCode> {
  using store = await openReader(context)
  const lines = store.keys(prefix).map((key) => (context.json ? jsonLine({ key }) : key))
  for (let at = 0; at < lines.length; at += LINES) await context.print(lines.slice(at, at + LINES).join('\n'))
  return EXIT.done
}
