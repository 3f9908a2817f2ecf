/** A machine for a test whose replicator is a process of its own: it can be killed, and begun again at the same registry. */
import { SharedStore } from '@memsvc/shared'
import { type Program, startDaemon, startProgram } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { type Copied, memsvc, PREFIX } from './machines.ts'

export interface ReplicatorOptions {
  readonly endpoints: readonly string[]
  readonly machine?: string
  /** Goes before the command, and runs it. */
  readonly prefix?: readonly string[]
  /** More of `memsvc replicate`. */
  readonly args?: readonly string[]
}

const STORE = 'cluster'

export class Replicator implements Copied {
  readonly registry: string
  readonly #options: ReplicatorOptions
  readonly #daemon: Program
  #program: Program | null = null
  #store: SharedStore | null = null

  private constructor(daemon: Program, registry: string, options: ReplicatorOptions) {
    this.#daemon = daemon
    this.registry = registry
    this.#options = options
  }

  static async start(t: Test, options: ReplicatorOptions): Promise<Replicator> {
    const { registry, program } = await startDaemon(t, memsvc, { command: 'registry' })
    const replicator = new Replicator(program, registry, options)
    t.teardown(() => replicator.end())
    await replicator.begin()
    replicator.#store = await SharedStore.open(STORE, { path: registry })
    return replicator
  }

  get store(): SharedStore {
    if (this.#store === null) throw new Error('it has not begun')
    return this.#store
  }

  revisionOf(key: string): Promise<bigint> {
    return this.store.revisionOf(key, { timeoutMs: PATIENCE_MS })
  }

  /** Resolves when it is published. @throws Error with its log, when it ended before */
  async begin(): Promise<void> {
    const { endpoints, machine = 'm', prefix = [], args = [] } = this.#options
    const where = ['--registry', this.registry, '--prefix', PREFIX, '--store', STORE, '--machine', machine]
    const program = startProgram(memsvc, ['replicate', ...where, ...args, '--endpoint', ...endpoints], { prefix })
    this.#program = program
    if ((await program.stderr.find((line) => line.includes('"msg":"ready"'))) === null)
      throw new Error(program.stderr.text)
  }

  /** kill -9, and it is gone. */
  async kill(): Promise<void> {
    this.#program?.kill('SIGKILL')
    await this.#program?.ending
    this.#program = null
  }

  /** Before the test ends. Idempotent. */
  async end(): Promise<void> {
    this.#store?.close()
    await this.#program?.destroy()
    await this.#daemon.destroy()
  }
}

/** On a machine that has much else to do. */
const PATIENCE_MS = 60_000
