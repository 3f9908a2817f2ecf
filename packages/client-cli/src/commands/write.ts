import { DEFAULT_SERVICE_NAME, IMemoryService } from '@memsvc/shared'
import { connect, findService, inTime } from '../connect.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { parseInt32 } from '../int32.ts'
import { formatValue } from '../output.ts'

/** `memclient write VALUE [NAME]`: only the service can write, so it is asked to. Silent, but for `--json`. */
export async function write(context: Context, text: string, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  const value = parseInt32(text)
  using manager = await connect(context)
  const service = IMemoryService.asInterface(await findService(manager, name))
  await inTime(Promise.resolve(service.setValue(value)), name)
  if (context.json) await context.print(formatValue(context.json, name, value))
  return EXIT.done
}
