import { DEFAULT_SERVICE_NAME, errorCode, type ServiceManager, SharedValue } from '@memsvc/shared'
import { EXIT, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { parseInt32 } from './int32.ts'
import { formatValue } from './output.ts'
import { connectTo, openValue } from './region.ts'
import { readCount } from './store-options.ts'

/**
 * `memclient watch [NAME]`: the value now, then one line per change, over restarts of the daemon and of the registry.
 * A reader that is slow gets the newest value when it is ready, not all that it missed.
 * Once it has found the service it waits without a deadline.
 */
export async function watch(context: Context, name = DEFAULT_SERVICE_NAME): Promise<ExitCode> {
  const enough = enoughOf(context)
  const print = context.untilInterrupted() // also while it waits for the service
  using manager = await connectTo(context, name)
  let value = await openValue(manager, name, context.deadline)
  const show = changePrinter(
    (current) => print(formatValue(context.json, name, current)),
    () => context.tell(`memclient: watching ${name} at ${manager.path}`),
  )
  for (;;) {
    if (await showUntilDeath(value, async (current) => (await show(current)) && enough(current))) return EXIT.done
    context.tell(`memclient: ${name} is gone, waiting for it to come back`)
    value = await openNext(manager, name)
  }
}

/** Whether a value that was printed is the last one. @throws ToolError with EXIT.usage */
function enoughOf({ options }: Context): (value: number) => boolean {
  let left = readCount(options.count)
  const last = options.until === undefined ? null : parseInt32(options.until)
  return (value) => {
    left -= 1
    return left === 0 || value === last
  }
}

/**
 * There can be more notices than changes, and a restarted service can have the same value as before.
 * @returns whether it was printed
 */
function changePrinter(
  print: (value: number) => Promise<void>,
  onFirst: () => void,
): (value: number) => Promise<boolean> {
  let last: number | undefined
  return async (value) => {
    if (value === last) return false
    const isFirst = last === undefined
    last = value
    await print(value)
    if (isFirst) onFirst() // not before: to a reader who has gone nothing is said at all
    return true
  }
}

/** @param show answers whether that is enough. @returns whether it was; otherwise the service is dead */
async function showUntilDeath(value: SharedValue, show: (value: number) => Promise<boolean>): Promise<boolean> {
  using region = value
  try {
    for await (const current of region.changes()) if (await show(current)) return true
  } catch (error) {
    if (!isDeath(error)) throw error
    // The last value before the death may not have been reported yet.
    return show(region.get())
  }
  return false
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
