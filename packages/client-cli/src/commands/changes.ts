import {
  BinderProxy,
  errorCode,
  type IBinder,
  type ServiceManager,
  SharedStore,
  type StoreChange,
} from '@memsvc/shared'
import { connectInTime, EXIT, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { storeName } from './key.ts'
import { closedOr, findStore } from './owner.ts'
import { readCount } from './store-options.ts'
import { jsonLine, jsonOf, jsonVersion, shortJsonOf } from './value-text.ts'

/**
 * `memclient changes [PREFIX]`: one line per change from here on, over restarts of the owner. A reader that is slow gets what each key has
 * when it is ready, not all that it missed. Once it has found the store it waits without a deadline.
 */
export async function changes(context: Context, prefix = ''): Promise<ExitCode> {
  const name = storeName(context)
  let left = readCount(context.options.count)
  const print = context.untilInterrupted() // also while it looks for the store
  using manager = await connectInTime(context.registry, context.deadline)
  const owner = await findStore(context, manager) // which says what is wrong with it
  using store = await context.deadline.within(SharedStore.open(name, { manager }), name).catch((error: unknown) => {
    throw closedOr(error, name)
  })
  const feed = store.changes(prefix) // from here on
  context.tell(`memclient: watching ${name} at ${manager.path}`)
  using _ = tellOutages(context, manager, owner)
  for await (const change of feed) {
    await print(formatChange(context.json, change))
    left -= 1
    if (left === 0) break
  }
  return EXIT.done
}

/** Says each time that the owner is gone, until it is disposed of. Closes the owner's proxy. */
function tellOutages(context: Context, manager: ServiceManager, first: IBinder): Disposable {
  const name = storeName(context)
  let owner = first
  let isOver = false
  const tell = async () => {
    while (!isOver) {
      await deathOf(owner)
      if (isOver) return
      context.tell(`memclient: ${name} is gone, waiting for it to come back`)
      owner = await manager.waitForService(name)
    }
  }
  const close = () => {
    if (owner instanceof BinderProxy) owner.close()
  }
  tell().then(close, () => undefined) // the manager is closed
  return {
    [Symbol.dispose]() {
      isOver = true
      close()
    },
  }
}

async function deathOf(service: IBinder): Promise<void> {
  try {
    await new Promise<void>((resolve) => service.linkToDeath({ binderDied: () => resolve() }))
  } catch (error) {
    if (errorCode(error) !== 'ERR_DEAD_OBJECT') throw error // otherwise it was dead already
  }
}

/**
 * KEY VALUE, or KEY alone if it was deleted. For long bytes only the beginning and the length are shown; with --json
 * all of them.
 */
function formatChange(json: boolean, { key, value, version }: StoreChange): string {
  if (value === undefined) return json ? jsonLine({ key, deleted: true, version: jsonVersion(version) }) : key
  if (json) return jsonLine({ key, value: jsonOf(value), version: jsonVersion(version) })
  return `${key} ${jsonLine(shortJsonOf(value))}`
}
