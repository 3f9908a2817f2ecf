/** What becomes of changes. */
import { until } from './until.ts'

/** `done`, or the code of the error. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error) => error.code,
  )
}

/** Tried again until it is done: on a machine that is busy a cluster has no leader now and then. */
export async function done(change: () => Promise<unknown>): Promise<void> {
  await until(async () => (await codeOf(change())) === 'done')
}
