/** Everything that speaks docs/protocol.md about a store (section 9): each client must understand each owner. */
import { DEFAULT_STORE_NAME, type Json, OwnedStore, ServiceManager } from '@memsvc/shared'
import { findRegistry, tryReadKey } from '@memsvc/shared/internal'
import type { Ending } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { memclient, startMemsvc } from './memsvc.ts'
import { checkDone, startPython, startRegistry } from './pairings.ts'
import { openStore } from './store.ts'

/** A store under the default name, as its owner has it. */
interface Owner {
  readonly registry: string
  get(key: string): unknown
  set(key: string, value: Json): unknown
  /** The values move to other areas; absent: the owner decides. */
  move?(): void
}

/** What a speaker cannot do it does not have. */
interface Reader {
  get(key: string): Promise<unknown>
  set?(key: string, value: Json): Promise<unknown>
  delete?(key: string): Promise<unknown>
}

export const STORE_OWNERS: Readonly<Record<string, (t: Test) => Promise<Owner>>> = {
  async 'the daemon'(t) {
    const { registry } = await startMemsvc(t)
    const store = await openStore(t, registry)
    return { registry, get: (key) => store.get(key), set: (key, value) => store.set(key, value) }
  },

  async 'a store of the library'(t) {
    const registry = await startRegistry(t)
    const store = new OwnedStore()
    const manager = await ServiceManager.connect({ path: registry })
    t.teardown(() => {
      manager.close()
      store.close()
    })
    await manager.addService(DEFAULT_STORE_NAME, store.binder)
    return {
      registry,
      get: (key) => store.get(key),
      set: (key, value) => store.set(key, value),
      move: () => store.resize({}),
    }
  },
}

export const STORE_CLIENTS: Readonly<Record<string, (t: Test, registry: string) => Promise<Reader>>> = {
  async 'the library'(t, registry) {
    const store = await openStore(t, registry)
    return {
      get: async (key) => store.get(key),
      set: (key, value) => store.set(key, value),
      delete: (key) => store.delete(key),
    }
  },

  async 'the quick read'(_t, registry) {
    return {
      get: async (key) => {
        const address = { place: findRegistry({ path: registry }), name: DEFAULT_STORE_NAME, timeoutMs: 60_000 }
        const value = await tryReadKey(address, key)
        return value === null ? undefined : JSON.parse(value.bytes.toString())
      },
    }
  },

  async memclient(_t, registry) {
    return byCommand((args) => memclient(registry, args))
  },

  async 'the Python client'(t, registry) {
    return byCommand((args) => startPython(t, registry, args).ending)
  },
}

function byCommand(run: (args: string[]) => Promise<Ending>): Reader {
  const done = async (args: string[]) => {
    const ending = await run(args)
    checkDone(ending)
    return ending.stdout
  }
  return {
    get: async (key) => JSON.parse(await done(['get', key])),
    set: (key, value) => done(['put', key, JSON.stringify(value)]),
    delete: (key) => done(['delete', key]),
  }
}
