/**
 * Errors that nobody can catch, because a user's callback threw them without a caller. The library does not log; it
 * raises a process warning, which the program can listen to, and which Node prints otherwise.
 */
import process from 'node:process'
import { isError } from './realm.ts'

export function reportCallbackError(where: string, error: unknown): void {
  const text = isError(error) ? (error.stack ?? error.message) : String(error)
  process.emitWarning(`${where} threw: ${text}`, { code: 'MEMSVC_CALLBACK_ERROR' })
}
