/** Everything that speaks docs/protocol.md about a value: each client must understand each service. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BinderProxy, DEFAULT_SERVICE_NAME, OwnedValue, Parcel, ServiceManager } from '@memsvc/shared'
import { findRegistry, tryReadValue } from '@memsvc/shared/internal'
import { type Ending, type Program, startCommand, startDaemon } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { MEMSVC, memclient, startMemclient, startMemsvc } from './memsvc.ts'
import { RawClient } from './raw-client.ts'
import { RawService } from './raw-service.ts'
import { connect, openValue } from './value.ts'

/** A service under the default name, as its owner has it. */
interface Service {
  readonly registry: string
  get(): number
  set(value: number): unknown
}

/** What a speaker cannot do it does not have. */
interface Client {
  read(): Promise<number | null>
  write?(value: number): Promise<void>
  /** @returns the value now, and after each change */
  watch?(): Promise<() => Promise<number>>
  /** @returns whether the service says that it does not know the code */
  callUnknown?(code: number): Promise<boolean>
}

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
const PYTHON_CLIENT = `${REPOSITORY}examples/python-client/memclient.py`

/** A registry without a service. @returns its path */
export async function startRegistry(t: Test): Promise<string> {
  return (await startDaemon(t, MEMSVC, { command: 'registry' })).registry
}

export const SERVICES: Readonly<Record<string, (t: Test) => Promise<Service>>> = {
  async 'the daemon'(t) {
    const { registry } = await startMemsvc(t)
    const value = await openValue(t, registry)
    return { registry, get: () => value.get(), set: (number) => value.set(number) }
  },

  async 'a service of the library'(t) {
    const registry = await startRegistry(t)
    const value = new OwnedValue()
    const manager = await ServiceManager.connect({ path: registry })
    t.teardown(() => {
      manager.close()
      value.close()
    })
    await manager.addService(DEFAULT_SERVICE_NAME, value.binder)
    return { registry, get: () => value.get(), set: (number) => value.set(number) }
  },

  async 'a service of the oracle'(t) {
    const registry = await startRegistry(t)
    const service = await RawService.publish(t, registry, DEFAULT_SERVICE_NAME)
    return { registry, get: () => service.get(), set: (number) => service.set(number) }
  },
}

export const CLIENTS: Readonly<Record<string, (t: Test, registry: string) => Promise<Client>>> = {
  async 'the library'(t, registry) {
    const value = await openValue(t, registry)
    const changes = value.changes()
    return {
      read: async () => value.get(),
      write: (number) => value.set(number),
      watch: async () => async () => (await changes.next()).value as number,
      callUnknown: async (code) => !(await callByHand(t, registry, code)),
    }
  },

  async 'the quick read'(_t, registry) {
    return { read: () => tryReadValue(findRegistry({ path: registry }), DEFAULT_SERVICE_NAME, 60_000) }
  },

  async memclient(t, registry) {
    return {
      read: async () => readOutput(await memclient(registry, ['read'])),
      write: async (number) => checkDone(await memclient(registry, ['write', String(number)])),
      watch: async () => linesOf(startMemclient(t, registry, ['watch'])),
    }
  },

  async 'the Python client'(t, registry) {
    const start = (...args: string[]) => startPython(t, registry, args)
    return {
      read: async () => readOutput(await start('read').ending),
      write: async (number) => checkDone(await start('write', String(number)).ending),
      watch: async () => linesOf(start('watch')),
    }
  },

  async 'the client in C'(t, registry) {
    const program = buildClientInC(t)
    const run = (...args: string[]) => startCommand([program, registry, ...args]).ending
    return {
      read: async () => readOutput(await run('read')),
      write: async (number) => checkDone(await run('write', String(number))),
    }
  },

  async 'the oracle'(t, registry) {
    const client = await RawClient.open(t, registry, DEFAULT_SERVICE_NAME)
    return {
      read: () => client.read(),
      write: async (number) => {
        const exception = await client.write(number)
        if (exception !== 0) throw new Error(`exception ${exception}`)
      },
      watch: () => client.watch(),
      callUnknown: async (code) => (await client.callUnknown(code)) === 1,
    }
  },
}

async function callByHand(t: Test, registry: string, code: number): Promise<boolean> {
  const binder = await (await connect(t, registry)).getService(DEFAULT_SERVICE_NAME)
  if (binder === null) throw new Error('there is no service')
  using data = Parcel.obtain()
  using reply = Parcel.obtain()
  const isKnown = await binder.transact(code, data, reply, 0)
  if (binder instanceof BinderProxy) binder.close()
  return isKnown
}

/** What the bench measures with, as a command. */
function buildClientInC(t: Test): string {
  const program = join(t.testdir(), 'c-client')
  const bench = `${REPOSITORY}packages/bench/native`
  const sources = ['common.c', 'memsvc.c'].map((name) => `${bench}/${name}`)
  const own = `${REPOSITORY}packages/memory-service/test-support/fixtures/c-client.c`
  const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', `-I${bench}`]
  const { status, stderr } = spawnSync('cc', [...flags, '-o', program, own, ...sources], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cc: ${stderr}`)
  return program
}

export function startPython(t: Test, registry: string, args: readonly string[]): Program {
  const env = { MEMSVC_REGISTRY: registry, PYTHONDONTWRITEBYTECODE: '1' }
  const program = startCommand(['python3', PYTHON_CLIENT, ...args], { env })
  t.teardown(() => program.destroy())
  return program
}

function readOutput(ending: Ending): number {
  checkDone(ending)
  return Number(ending.stdout)
}

/** @throws Error with the exit code and the message of a program that failed */
export function checkDone({ code, stderr }: Ending): void {
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`)
}

function linesOf(program: Program): () => Promise<number> {
  return async () => Number(await program.stdout.next())
}
