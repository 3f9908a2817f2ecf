/** A store of a daemon as a client in the test's own process has it. */
import { SharedStore } from '@memsvc/shared'
import type { Test } from 'tap'
import { connect } from './value.ts'

/** A store whose areas are mapped; gone with the test. */
export async function openStore(t: Test, registry: string, name?: string): Promise<SharedStore> {
  const store = await SharedStore.open(name, { manager: await connect(t, registry) })
  t.teardown(() => store.close())
  return store
}
