import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { connect, openValue } from '../connect.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { formatValue } from '../output.ts'

/** `memclient read [NAME]`: the value, from the mapping. The service is asked for its descriptor and for nothing else. */
export async function read(context: Context, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  using manager = await connect(context)
  using value = await openValue(manager, name)
  await context.print(formatValue(context.json, name, value.get()))
  return EXIT.done
}
