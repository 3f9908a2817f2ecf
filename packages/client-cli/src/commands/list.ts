import { connectInTime, EXIT, type ExitCode, listHolders, listNames } from '@memsvc/shared/internal'
import type { Context } from './context.ts'

/** `memclient list`: prints one name per line, sorted; with `--json` also who serves it. */
export async function list({ registry, deadline, json, print }: Context): Promise<ExitCode> {
  using manager = await connectInTime(registry, deadline)
  if (json) {
    for await (const { name, pid, uid } of listHolders(manager, deadline)) {
      await print(JSON.stringify({ name, pid, uid }))
    }
  } else for (const name of await listNames(manager, deadline)) await print(name)
  return EXIT.done
}
