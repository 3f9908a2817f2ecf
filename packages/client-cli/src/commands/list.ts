import type { ServiceManager } from '@memsvc/shared'
import { connect, inTime } from '../connect.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'

/** `memclient list`: a name per line, sorted; `--json` tells also who serves it. */
export async function list(context: Context): Promise<ExitCode> {
  using manager = await connect(context)
  const names = await inTime(manager.listServices(), 'the registry')
  for (const name of names) {
    const line = context.json ? await describe(manager, name) : name
    if (line !== null) await context.print(line)
  }
  return EXIT.done
}

/** null when the service went away since it was listed. */
async function describe(manager: ServiceManager, name: string): Promise<string | null> {
  const info = await inTime(manager.getServiceInfo(name), 'the registry')
  return info === null ? null : JSON.stringify({ name, pid: info.pid, uid: info.uid })
}
