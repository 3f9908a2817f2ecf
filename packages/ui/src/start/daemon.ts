/**
 * Starts `memsvc start`, detached, as the `onCreate` of Android's sample calls `startService` if there is no service.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DEFAULT_SERVICE_NAME, errorCode, ServiceManager } from '@memsvc/shared'
import { Deadline, type RegistryChoice } from '@memsvc/shared/internal'

export interface StartRequest {
  readonly registry: RegistryChoice
  /** Of the registry's socket. */
  readonly path: string
  /** Of the service. */
  readonly name: string
}

/** A slower daemon is not waited for: the page continues when it is ready. */
const PATIENCE_MS = 20_000

/** The result, in words. */
export interface Start {
  readonly said: string
  readonly isFailure: boolean
}

/** Starts a daemon where none answers, one at a time however often it is asked to. */
export class Starter {
  readonly #request: StartRequest
  #running: Promise<Start | null> | null = null

  constructor(request: StartRequest) {
    this.#request = request
  }

  /** @returns null if a service answers. Never throws, because the page itself shows that there is no service */
  start(): Promise<Start | null> {
    this.#running ??= startWhereNobodyAnswers(this.#request).finally(() => {
      this.#running = null
    })
    return this.#running
  }
}

async function startWhereNobodyAnswers(request: StartRequest): Promise<Start | null> {
  const { path, name } = request
  if (await answers(request)) return null
  try {
    const pid = await startDaemon(request)
    const said = `no service ${name} answered at ${path}: started 'memsvc start' (pid ${pid}); it goes on when this window ends`
    return { said, isFailure: false }
  } catch (error) {
    const said = `no service ${name} answers at ${path}, and it could not be started: ${(error as Error).message}`
    return { said, isFailure: true }
  }
}

/** Whether nothing should be started: also if this user may not ask, or somebody else must repair it. */
async function answers({ registry, name }: StartRequest): Promise<boolean> {
  try {
    const deadline = new Deadline()
    using manager = await deadline.within(ServiceManager.connect(registry), 'the registry')
    return (await deadline.within(manager.getServiceInfo(name), 'the registry')) !== null
  } catch (error) {
    return errorCode(error) !== 'ERR_REGISTRY_UNAVAILABLE'
  }
}

async function startDaemon({ registry, path, name }: StartRequest): Promise<number> {
  const args = ['start', '--registry', path]
  if (name !== DEFAULT_SERVICE_NAME) args.push('--name', name)
  if (registry.registryOwner !== undefined) args.push('--registry-owner', String(registry.registryOwner))
  const [command, ...first] = findMemsvc()
  // Its log goes here until it is ready; a pipe without a reader drops lines, and stops nobody.
  const child = spawn(command as string, [...first, ...args], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  child.unref()
  await untilReady(child)
  return child.pid ?? 0
}

/** @throws Error it ended, with what it said last */
function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = ''
    const timer = setTimeout(resolve, PATIENCE_MS)
    const end = (error: Error) => {
      clearTimeout(timer)
      reject(error)
    }
    child.once('error', (error) =>
      end(
        errorCode(error) === 'ENOENT'
          ? new Error('memsvc is not installed: npm install @memsvc/memory-service')
          : error,
      ),
    )
    child.once('exit', (code) => end(new Error(last === '' ? `it ended with ${code}` : last.replace(/^memsvc: /, ''))))
    if (child.stderr === null) return
    ;(child.stderr as unknown as { unref?: () => void }).unref?.()
    createInterface({ input: child.stderr }).on('line', (line) => {
      last = line
      if (!line.includes('"msg":"ready"')) return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** The memsvc that is installed beside this package or beside the tool; otherwise the one on the PATH. */
function findMemsvc(): string[] {
  for (const from of [import.meta.url, process.argv[1]]) {
    if (from === undefined) continue
    try {
      const manifest = createRequire(from).resolve('@memsvc/memory-service/package.json')
      return [process.execPath, join(dirname(manifest), 'bin/memsvc.js')]
    } catch {
      // not there
    }
  }
  return ['memsvc']
}
