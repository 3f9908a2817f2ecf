/** The processes of a contender: started on a core, asked for samples line by line, and ended by their id. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Sample } from './benchmark.ts'

export interface Program {
  readonly argv: readonly string[]
  /** On its output once it can be used. */
  readonly ready?: RegExp
  readonly env?: Readonly<Record<string, string>>
}

const READY_LINE = /^ready$/m
const READY_TIMEOUT_MS = 60_000
const KILL_AFTER_MS = 5_000

export class RunningProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #name: string
  #output = ''
  #answer: ((line: string) => void) | null = null
  #fail: ((error: Error) => void) | null = null

  private constructor(program: Program, cpu: number | null) {
    this.#name = program.argv.join(' ')
    const [command, ...args] = cpu === null ? program.argv : ['taskset', '-c', String(cpu), ...program.argv]
    this.#child = spawn(command as string, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...cleanEnvironment(), ...program.env },
    })
    this.#child.on('error', (error) => this.#fail?.(error))
    this.#child.on('exit', (code, signal) =>
      this.#fail?.(new Error(`${this.#name}: ended by ${signal ?? code}; ${this.#lastLine}`)),
    )
    // A program that has ended is found by its exit, not by the pipe that nobody reads any more.
    this.#child.stdin.on('error', () => undefined)
  }

  /** @throws when it ends, or is not ready after a minute; its output is in the message */
  static async start(program: Program, cpu: number | null): Promise<RunningProgram> {
    const running = new RunningProgram(program, cpu)
    try {
      await running.#untilReady(program.ready ?? READY_LINE)
    } catch (error) {
      await running.stop()
      throw error
    }
    return running
  }

  /** Of the program itself: taskset replaces itself by it. */
  get pid(): number {
    return this.#child.pid as number
  }

  /** Asks for one sample. */
  async sample(task: string, milliseconds: number): Promise<Sample> {
    const line = await new Promise<string>((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
      this.#child.stdin.write(`${task} ${milliseconds}\n`)
    })
    this.#fail = null
    return JSON.parse(line) as Sample
  }

  /** Asks it to end, and after five seconds does not ask. */
  async stop(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#fail = null
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS)
    await ended
    clearTimeout(timer)
  }

  get #lastLine(): string {
    return this.#output.trim().split('\n').at(-1) ?? ''
  }

  #untilReady(ready: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#name}: not ready; ${this.#lastLine}`)), READY_TIMEOUT_MS)
      this.#fail = (error) => {
        clearTimeout(timer)
        reject(error)
      }
      const listen = (line: string) => {
        this.#output += `${line}\n`
        if (!ready.test(this.#output)) return
        clearTimeout(timer)
        this.#fail = null
        resolve()
      }
      createInterface(this.#child.stderr).on('line', listen)
      createInterface(this.#child.stdout).on('line', (line) =>
        this.#answer === null ? listen(line) : this.#answer(line),
      )
    })
  }
}

/** Node 20 loads NODE_EXTRA_CA_CERTS at every start, which triples the time of one; NODE_OPTIONS would change what is measured. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const {
    NODE_EXTRA_CA_CERTS: _certificates,
    NODE_OPTIONS: _options,
    MEMSVC_REGISTRY: _registry,
    ...rest
  } = process.env
  return rest
}
