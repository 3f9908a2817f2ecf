/** What the seed's `onCreate` does where there is no service: `startService`. Here: `memsvc start`, detached. */
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

/** A daemon that is slower than this is left to itself: the page goes on when it is there. */
const PATIENCE_MS = 20_000

/** What came of it, in words. */
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

  /** @returns null: somebody answers. Never throws: a page without a service says so itself */
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

/** Whether there is nothing to start: also where nobody may know, or it is somebody else's to mend. */
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

/** The one that is installed beside this package, or beside the tool; else whatever the shell would find. */
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
