import type { Json } from '@memsvc/shared'
import { EXIT, type ExitCode, StoreReader } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import type { Print } from './output.ts'
import { openReader } from './owner.ts'
import { printTo } from './save.ts'
import { exportedOf, jsonLine } from './value-text.ts'

type Values = [string, Json | Uint8Array][]

/** Printed at once, in characters or a little more. */
const PIECE_UNITS = 1024 * 1024

/**
 * `memclient export [PREFIX]`: keys and values as one JSON object, one key a line, sorted, all of one moment. If a
 * store has several areas, each area is of one moment.
 */
export async function exportStore(context: Context, prefix = ''): Promise<ExitCode> {
  using store = await openReader(context)
  const values = valuesOf(store, prefix)
  await printTo(context, (print) => printObject(values, print))
  return EXIT.done
}

function valuesOf(store: StoreReader, prefix: string): Values {
  const values = store.areas.flatMap((area) => {
    const one = new StoreReader()
    one.replace([area])
    return [...one.snapshot({ prefix })]
  })
  return values.sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
}

async function printObject(values: Values, print: Print): Promise<void> {
  if (values.length === 0) return print('{}')
  let piece = '{'
  for (const [i, [key, value]] of values.entries()) {
    piece += `${i === 0 ? '' : ','}\n${jsonLine(key)}: ${jsonLine(exportedOf(value))}`
    if (piece.length < PIECE_UNITS) continue
    await print(Buffer.from(piece))
    piece = ''
  }
  await print(`${piece}\n}`)
}
