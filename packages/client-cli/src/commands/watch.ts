import { DEFAULT_SERVICE_NAME, errorCode, type ServiceManager, SharedValue } from '@memsvc/shared'
import { connectInTime, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { formatValue } from './output.ts'
import { openValue } from './region.ts'

/**
 * `memclient watch [NAME]`: the value now, then one line per change, over restarts of the daemon and of the registry.
 * A reader that is slow gets the newest value when it is ready, not all that it missed.
 * Once it has found the service it waits without a deadline.
 */
export async function watch(context: Context, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  using manager = await connectInTime(context.registry, context.deadline)
  let value = await openValue(manager, name, context.deadline)
  const show = changePrinter(context, name, () => context.tell(`memclient: watching ${name} at ${manager.path}`))
  for (;;) {
    await showUntilDeath(value, show)
    context.tell(`memclient: ${name} is gone, waiting for it to come back`)
    value = await openNext(manager, name)
  }
}

/** Notices can be more than changes, and a service that came back can have the value of the one that went. */
function changePrinter(context: Context, name: string, onFirst: () => void): (value: number) => Promise<void> {
  const print = context.untilInterrupted()
  let last: number | undefined
  return async (value) => {
    if (value === last) return
    const isFirst = last === undefined
    last = value
    await print(formatValue(context.json, name, value))
    if (isFirst) onFirst() // not before: to a reader who has gone nothing is said at all
  }
}

async function showUntilDeath(value: SharedValue, show: (value: number) => Promise<void>): Promise<void> {
  using region = value
  try {
    for await (const current of region.changes()) await show(current)
  } catch (error) {
    if (!isDeath(error)) throw error
    // The dead have a last word: what was set just before the end may not have been told.
    await show(region.get())
  }
}

/** The region of the service that comes next: as long as it takes, for as many as die meanwhile. */
async function openNext(manager: ServiceManager, name: string): Promise<SharedValue> {
  for (;;) {
    try {
      return await SharedValue.of(await manager.waitForService(name))
    } catch (error) {
      if (!isDeath(error)) throw error
    }
  }
}

function isDeath(error: unknown): boolean {
  return errorCode(error) === 'ERR_DEAD_OBJECT'
}
