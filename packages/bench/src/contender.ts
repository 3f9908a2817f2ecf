/** The usual contender: a server on one core, a client that is asked for samples on another, or a program alone. */
import type { Contender, Place } from './benchmark.ts'
import { type Program, RunningProgram } from './process.ts'

export interface Parts {
  readonly server?: (place: Place) => Program
  readonly client: (place: Place) => Program
  /** What the client is asked to do. */
  readonly task: string
}

export function contender(name: string, parts: Parts): Contender {
  return {
    name,
    open: async (place) => {
      const server = parts.server && (await RunningProgram.start(parts.server(place), place.serverCpu))
      try {
        const client = await RunningProgram.start(parts.client(place), place.clientCpu)
        return {
          sample: (milliseconds) => client.sample(parts.task, milliseconds),
          close: async () => {
            await client.stop()
            await server?.stop()
          },
        }
      } catch (error) {
        await server?.stop()
        throw error
      }
    },
  }
}
