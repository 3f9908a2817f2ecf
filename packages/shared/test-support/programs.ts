/** Programs of ours as processes of their own, in an environment that has nothing but what the test gives. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { Lines } from './lines.ts'

/** Where V8 is to write down what is run: for `npm run mutate`. A program that is killed says nothing. */
const coverage = process.env.NODE_V8_COVERAGE
/** For `npm run sanitize`. */
const SANITIZERS = ['LD_PRELOAD', 'ASAN_OPTIONS', 'UBSAN_OPTIONS']
const LATE_MS = 3000

export interface ProgramOptions {
  /** Besides PATH. */
  env?: Record<string, string>
  /** Another user and group, without supplementary groups. Needs root. */
  uid?: number | undefined
  /** Goes before the command, and runs it: prlimit(1), strace(1). */
  prefix?: readonly string[]
  /** A pipe, for `Program.say`; default: nothing. Or a descriptor; it stays the test's. */
  stdin?: 'pipe' | number
  /** A descriptor instead of a pipe to the test; it stays the test's. */
  stdout?: number
  stderr?: number
}

export interface Ending {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** By lines; the last one without its end. */
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs. */
export class Program {
  readonly stdout: Lines
  readonly stderr: Lines
  /** Resolves when the process is gone and all it said has been read. */
  readonly ending: Promise<Ending>
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
    this.stdout = new Lines(child.stdout ?? Readable.from([]))
    this.stderr = new Lines(child.stderr ?? Readable.from([]))
    this.ending = this.#end()
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#child.spawnfile} was not started`)
    return this.#child.pid
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Writes a line to its stdin, where that is a pipe. */
  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Nobody reads its stdout from here on. */
  closeStdout(): void {
    this.#child.stdout?.destroy()
  }

  /** At once, however it is. */
  async destroy(): Promise<void> {
    if (coverage !== undefined) await this.#sayWhatRan()
    this.kill('SIGKILL')
    await this.ending
  }

  async #sayWhatRan(): Promise<void> {
    this.kill('SIGTERM')
    const tired = new AbortController()
    const late = setTimeout(LATE_MS, undefined, { signal: tired.signal }).catch(() => undefined)
    await Promise.race([this.ending, late])
    tired.abort()
  }

  async #end(): Promise<Ending> {
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null]
    return { code, signal, stdout: this.stdout.text, stderr: this.stderr.text }
  }
}

/** Starts a JavaScript program with the Node that runs the test. */
export function startProgram(path: string, args: readonly string[], options: ProgramOptions = {}): Program {
  return startCommand([process.execPath, path, ...args], options)
}

/**
 * Starts a command, found by PATH. By way of env(1): tap adds a module of its own to the environment of every Node that
 * it sees being spawned.
 */
export function startCommand(command: readonly string[], options: ProgramOptions = {}): Program {
  const stdio: StdioOptions = [options.stdin ?? 'ignore', options.stdout ?? 'pipe', options.stderr ?? 'pipe']
  const user = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
  const inherited = ['PATH', 'NODE_V8_COVERAGE', ...SANITIZERS].filter((name) => process.env[name] !== undefined)
  const environment = [
    ...inherited.map((name) => `${name}=${process.env[name]}`),
    ...Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
  ]
  const line = ['-i', ...environment, ...(options.prefix ?? []), ...command]
  return new Program(spawn('env', line, { stdio, cwd: '/', ...user }))
}

/** Runs a JavaScript program to its end. */
export function runProgram(path: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  return startProgram(path, args, options).ending
}

/** A user who is neither root nor the one who runs the tests: nobody. */
export const OTHER_UID = 65534

/** Why that user cannot run a JavaScript program, for a test's `skip`; false when he can. */
export function otherUserProblem(path: string): string | false {
  if (process.getuid?.() !== 0) return 'needs root to become another user'
  const { status } = spawnSync(process.execPath, ['--check', path], { uid: OTHER_UID, gid: OTHER_UID, cwd: '/' })
  return status === 0 ? false : 'another user cannot read this directory'
}
