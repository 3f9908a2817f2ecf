/** The usual contender: servers on one core, and on another a client that is asked for samples; or a client alone. */
import type { Contender, Place, Subject } from './benchmark.ts'
import { type Program, RunningProgram } from './process.ts'

export interface Parts {
  /** Started in this order, each when the one before is ready. */
  readonly servers?: (place: Place) => readonly Program[]
  readonly client: (place: Place) => Program
  /** What the client is asked to do. */
  readonly task: string
}

export function contender(name: string, { servers, client, task }: Parts): Contender {
  return {
    name,
    open: async (place) => {
      const cast = await Cast.start((servers?.(place) ?? []).map((program) => ({ program, cpu: place.serverCpu })))
      return cast.subject(await cast.add(client(place), place.clientCpu), task)
    },
  }
}

export interface Role {
  readonly program: Program
  readonly cpu: number | null
}

/** All processes of a contender. Ends them in reverse order, also when one of them does not start. */
export class Cast {
  readonly #running: RunningProgram[] = []

  static async start(roles: readonly Role[]): Promise<Cast> {
    const cast = new Cast()
    for (const { program, cpu } of roles) await cast.add(program, cpu)
    return cast
  }

  async add(program: Program, cpu: number | null): Promise<RunningProgram> {
    try {
      const running = await RunningProgram.start(program, cpu)
      this.#running.push(running)
      return running
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The contender whose samples one of the processes takes. */
  subject(client: RunningProgram, task: string): Subject {
    return { sample: (milliseconds) => client.sample(task, milliseconds), close: () => this.close() }
  }

  async close(): Promise<void> {
    for (const running of this.#running.splice(0).reverse()) await running.stop()
  }
}
