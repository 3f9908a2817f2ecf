import { DEFAULT_SERVICE_NAME, type ServiceInfo, ServiceNotFoundError } from '@memsvc/shared'
import {
  connectInTime,
  EXIT,
  type ExitCode,
  findHolder,
  type RegionStatus,
  regionStatus,
  sealNames,
} from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { openValue } from './region.ts'

/** What this process sees of a service. */
interface View extends RegionStatus {
  readonly value: number
  readonly server: Pick<ServiceInfo, 'pid' | 'uid'>
}

/** `memclient info [NAME]`: the region as this process has it, to compare with `memsvc status` of the other side. */
export async function info(context: Context, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  using manager = await connectInTime(context.registry, context.deadline)
  using value = await openValue(manager, name, context.deadline)
  const server = await findHolder(manager, name, context.deadline)
  if (server === null) throw new ServiceNotFoundError(`the service ${name} has just ended`)
  const view = {
    ...regionStatus(value.file.getFileDescriptor()),
    value: value.get(),
    server: { pid: server.pid, uid: server.uid },
  }
  await context.print(context.json ? JSON.stringify(view) : describe(name, view))
  return EXIT.done
}

function describe(name: string, { fd, inode, seals, size, value, server }: View): string {
  const lines = [
    ['name', name],
    ['value', value],
    ['fd', fd],
    ['inode', inode],
    ['seals', sealNames(seals)],
    ['size', `${size} bytes`],
    ['server', `pid ${server.pid}, uid ${server.uid}`],
  ]
  return lines.map(([key, text]) => `${key}`.padEnd(8) + text).join('\n')
}
