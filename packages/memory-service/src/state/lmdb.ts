/** The embedded database that keeps stores on disk: an optional package, loaded only by who asks for a state folder. */
import { IllegalStateError } from '@memsvc/shared'

export type Lmdb = typeof import('lmdb')
export type RootDatabase = import('lmdb').RootDatabase<Buffer, Buffer>
export type DatabaseOptions = import('lmdb').DatabaseOptions
export type Database = import('lmdb').Database<Buffer, Buffer>

/** @throws ERR_ILLEGAL_STATE it is not installed, or there is none for this machine */
export async function loadLmdb(): Promise<Lmdb> {
  try {
    return await import('lmdb')
  } catch (cause) {
    throw new IllegalStateError(
      `--state needs the package lmdb, which cannot be loaded (${(cause as Error).message.split('\n')[0]}): ` +
        'npm install lmdb@3, beside memsvc (globally: npm install -g lmdb@3)',
      { cause },
    )
  }
}

/** The real cause, which lmdb reports separately from the error. It must be read each time, or it is lost. */
export async function causeOf(error: unknown): Promise<Error> {
  const { commitError } = error as { commitError?: Promise<never> }
  if (commitError === undefined) return error as Error
  try {
    await commitError
    return error as Error
  } catch (cause) {
    return cause as Error
  }
}
