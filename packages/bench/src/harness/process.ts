/** The processes of a contender: started on a core, asked for samples line by line, and ended by their id. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Sample } from './benchmark.ts'

export interface Program {
  readonly argv: readonly string[]
  /** On its output once it can be used. */
  readonly ready?: RegExp
  readonly env?: Readonly<Record<string, string>>
  /** Its descriptor 3; borrowed until it has started. */
  readonly descriptor?: number
}

const READY_LINE = /^ready$/m
const READY_TIMEOUT_MS = 60_000
/** 100,000 cycles take a while. */
const SAMPLE_TIMEOUT_MS = 300_000
const KILL_AFTER_MS = 5_000

export class RunningProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #name: string
  #output = ''
  #answer: ((line: string) => void) | null = null
  #fail: ((error: Error) => void) | null = null

  private constructor(program: Program, cpu: number | null) {
    this.#name = program.argv.map((word) => basename(word)).join(' ')
    const pinned = cpu === null ? program.argv : ['taskset', '-c', String(cpu), ...program.argv]
    // Ends with this process, however that ends. Both replace themselves by what they start.
    this.#child = spawn('setpriv', ['--pdeathsig', 'TERM', ...pinned], {
      stdio: ['pipe', 'pipe', 'pipe', program.descriptor],
      env: { ...cleanEnvironment(), ...program.env },
    }) as ChildProcessByStdio<Writable, Readable, Readable> // three pipes, and what follows changes nothing of that
    this.#child.on('error', (error) => this.#fail?.(error))
    this.#child.on('exit', (code, signal) => this.#fail?.(this.#error(`ended by ${signal ?? code}`)))
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

  /** Of the program itself. */
  get pid(): number {
    return this.#child.pid as number
  }

  /** Asks for one sample. @throws when the program ends, or has not answered long after the time it was given */
  async sample(task: string, milliseconds: number): Promise<Sample> {
    if (this.#hasEnded) throw this.#error('it has ended')
    const line = await this.#before(SAMPLE_TIMEOUT_MS + milliseconds, `no sample of ${task}`, (resolve) => {
      this.#answer = resolve
      this.#child.stdin.write(`${task} ${milliseconds}\n`)
    })
    return JSON.parse(line) as Sample
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Asks it to end, and after five seconds does not ask. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return
    this.#fail = null
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    this.#child.kill('SIGCONT')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS)
    await ended
    clearTimeout(timer)
  }

  /** Or has never begun. */
  get #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #untilReady(ready: RegExp): Promise<void> {
    await this.#before(READY_TIMEOUT_MS, 'not ready', (resolve) => {
      const listen = (line: string) => {
        this.#output += `${line}\n`
        if (ready.test(this.#output)) resolve(line)
      }
      createInterface(this.#child.stderr).on('line', listen)
      createInterface(this.#child.stdout).on('line', (line) => (this.#answer ?? listen)(line))
    })
  }

  /** The line that `ask` resolves with. */
  async #before(timeoutMs: number, complaint: string, ask: (resolve: (line: string) => void) => void): Promise<string> {
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#fail = reject
        timer = setTimeout(() => reject(this.#error(complaint)), timeoutMs)
        ask(resolve)
      })
    } finally {
      clearTimeout(timer)
      this.#fail = null
    }
  }

  /** With what it said last, or the error that it died of. */
  #error(complaint: string): Error {
    const lines = this.#output.trim().split('\n')
    return new Error(`${this.#name}: ${complaint}; ${lines.findLast((line) => /Error:/.test(line)) ?? lines.at(-1)}`)
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
