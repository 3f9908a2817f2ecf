/** A store of the test's own process, and what memclient prints of it as bytes. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnedStore, type OwnedStoreOptions, ServiceManager } from '@memsvc/shared'
import type { ProgramOptions } from '@memsvc/shared/test-support'
import { Hub } from 'memfd-native'
import type { Test } from 'tap'
import { memclient, startMemsvc } from './commands.ts'

// The thread's hub keeps its descriptors from first use on: it is no leak of the test that comes first.
Hub.current()

/** Publishes a store until the test ends. */
export async function startStore(
  t: Test,
  { name = 'SharedStore', registry, ...options }: OwnedStoreOptions & { name?: string; registry?: string } = {},
): Promise<{ registry: string; store: OwnedStore }> {
  const host = registry ?? (await startMemsvc(t, { command: 'registry' })).registry
  const store = new OwnedStore(options)
  const manager = await ServiceManager.connect({ path: host })
  t.teardown(() => {
    manager.close()
    store.close()
  })
  await manager.addService(name, store.binder)
  return { registry: host, store }
}

/** A folder that goes with the test. */
export function newFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'memclient-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/** What `memclient` prints, byte by byte. */
export async function printedBytes(
  t: Test,
  registry: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ code: number | null; stderr: string; bytes: Buffer }> {
  const path = join(newFolder(t), 'stdout')
  const stdout = openSync(path, 'w')
  const { code, stderr } = await memclient(registry, args, { ...options, stdout })
  closeSync(stdout)
  return { code, stderr, bytes: readFileSync(path) }
}
