/** Messages about keys that several commands share. */
import { DEFAULT_STORE_NAME } from '@memsvc/shared'
import { EXIT, ToolError } from '@memsvc/shared/internal'
import type { Context } from './context.ts'

/** The store that was asked for. */
export function storeName({ options }: Pick<Context, 'options'>): string {
  return options.store ?? DEFAULT_STORE_NAME
}

/** A key that has no value. @param store its name */
export function absent(key: string, store: string): ToolError {
  return new ToolError(EXIT.notFound, `${store} has no value for ${JSON.stringify(key)}`)
}
