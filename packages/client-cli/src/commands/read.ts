import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { EXIT, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { formatValue } from './output.ts'
import { connectTo, openValue } from './region.ts'

/** `memclient read [NAME]`: the value, from the mapping. The service is only asked for its descriptor. */
export async function read(context: Context, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  using manager = await connectTo(context, name)
  using value = await openValue(manager, name, context.deadline)
  await context.print(formatValue(context.json, name, value.get()))
  return EXIT.done
}
