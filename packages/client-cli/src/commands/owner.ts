/** The way of a command to a store: to its owner, who writes, and to its areas, which are read. */
import { Binder, ConflictError, errorCode, type IBinder, IStore, type ServiceManager } from '@memsvc/shared'
import {
  attach,
  connectInTime,
  EXIT,
  findService,
  NotKeptError,
  type Outcome,
  type Put,
  putValue,
  StoreReader,
  ToolError,
} from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { storeName } from './key.ts'
import { startProgress } from './progress.ts'

/** Of `type` on the wire: it may yet turn out to be text, which is as long. */
const BYTES = 1

/** The owner of a store, which writes it. */
export interface StoreOwner extends Disposable {
  readonly name: string
  readonly binder: IBinder
  /** What it answers to, each answer within the command's deadline. */
  readonly calls: InstanceType<typeof IStore.Proxy>
}

/** @throws as connectInTime, findStore */
export async function findOwner(context: Context): Promise<StoreOwner> {
  const name = storeName(context)
  const manager = await connectInTime(context.registry, context.deadline)
  try {
    const binder = await findStore(context, manager)
    return { name, binder, calls: new IStore.Proxy(binder), [Symbol.dispose]: () => manager.close() }
  } catch (error) {
    manager.close()
    throw error
  }
}

/**
 * Finds the owner of a store.
 * @throws as findService; ToolError if the service is not a store
 */
export async function findStore(context: Context, manager: ServiceManager): Promise<IBinder> {
  const name = storeName(context)
  const binder = await findService(manager, name, context.deadline)
  const descriptor = await context.deadline.within(Promise.resolve(binder.getInterfaceDescriptor()), name)
  if (descriptor === IStore.DESCRIPTOR) return binder
  throw new ToolError(EXIT.failed, `${name} is not a store, but ${descriptor ?? 'a service without an interface name'}`)
}

/** What this user may read of a store, mapped. */
class OpenStore extends StoreReader {
  [Symbol.dispose](): void {
    this.close()
  }
}

/** The caller closes it. @throws as findOwner, attach */
export async function openReader(context: Context): Promise<OpenStore> {
  using owner = await findOwner(context)
  return openReaderOf(context, owner)
}

/** As openReader, of an owner that was found. */
export async function openReaderOf(context: Context, owner: StoreOwner): Promise<OpenStore> {
  const reader = new OpenStore()
  reader.replace(attach(await answered(context, owner.name, owner.calls.open(null))))
  return reader
}

/**
 * The error of a call. If the owner has closed the store but lives, or an upload was abandoned, the user can try again;
 * other errors stay as they are.
 */
export function closedOr(cause: unknown, name: string): unknown {
  if (errorCode(cause) !== 'ERR_ILLEGAL_STATE' || cause instanceof NotKeptError) return cause
  return new ToolError(EXIT.tryAgain, `${name} cannot answer now: ${(cause as Error).message}`, { cause })
}

/** What the owner answers, within the command's deadline. @throws as the call; ToolError as closedOr */
export async function answered<T>(context: Context, name: string, answer: T | Promise<T>): Promise<T> {
  try {
    return await context.deadline.within(Promise.resolve(answer), name)
  } catch (error) {
    throw closedOr(error, name)
  }
}

/** The version that was given. @throws ERR_CONFLICT */
export function versionOf({ isConflict, version }: Outcome, key: string): bigint {
  if (isConflict) throw new ConflictError(key, version)
  return version
}

/** Has the owner put a value, in as many steps as it takes, each with its own deadline. @throws ToolError; as IStore */
export async function putAt(
  context: Context,
  { name, binder }: StoreOwner,
  put: Omit<Put, 'owner' | 'step'>,
): Promise<Outcome> {
  const total = put.value.bytes.length
  using progress = startProgress(context, `${put.key}:`)
  const step: Put['step'] = async (answer, bytes) => {
    context.deadline.restart()
    const result = await context.deadline.within(answer, name)
    progress.show(bytes, total)
    return result
  }
  return putValue(binder, { ...put, owner: new Binder(), step }).catch((error: unknown) => {
    throw closedOr(error, name)
  })
}

/**
 * Checks whether the owner would accept so many bytes from this user, by beginning an upload and ending it at once.
 * @throws as putAt
 */
export async function checkSize(
  context: Context,
  { name, calls }: StoreOwner,
  { key, size }: { key: string; size: number },
): Promise<void> {
  context.deadline.restart()
  const id = await answered(context, name, calls.begin(new Binder(), key, BYTES, BigInt(size)))
  await answered(context, name, calls.abort(id))
}
