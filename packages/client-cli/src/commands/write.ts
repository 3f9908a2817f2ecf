import { DEFAULT_SERVICE_NAME, IMemoryService } from '@memsvc/shared'
import { connectInTime, EXIT, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { parseInt32 } from './int32.ts'
import { formatValue } from './output.ts'
import { callValue } from './region.ts'

/** `memclient write VALUE [NAME]`: asks the service to write, because only the service can. Prints nothing without `--json`. */
export async function write(context: Context, text: string, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  const value = parseInt32(text)
  using manager = await connectInTime(context.registry, context.deadline)
  const { deadline } = context
  await callValue({ manager, name, deadline }, (service) => IMemoryService.asInterface(service).setValue(value))
  if (context.json) await context.print(formatValue(context.json, name, value))
  return EXIT.done
}
