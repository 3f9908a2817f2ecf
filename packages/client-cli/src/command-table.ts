/** The commands by name, for both readers of the command line. What a command needs is loaded when it runs. */
import type { Command } from './context.ts'

export interface CommandEntry {
  /** As commander writes them: `<needed>`, `[optional]`. */
  readonly operands: readonly string[]
  readonly summary: string
  readonly load: () => Promise<Command>
}

export const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map([
  [
    'read',
    {
      operands: ['[name]'],
      summary: 'print the value, read from the shared memory',
      load: async () => (await import('./commands/read.ts')).read,
    },
  ],
  [
    'write',
    {
      operands: ['<value>', '[name]'],
      summary: 'ask the service to set the value, a decimal int32',
      load: async () => (await import('./commands/write.ts')).write,
    },
  ],
  [
    'watch',
    {
      operands: ['[name]'],
      summary: 'print the value and every change of it until interrupted',
      load: async () => (await import('./commands/watch.ts')).watch,
    },
  ],
  [
    'list',
    {
      operands: [],
      summary: 'print the names of all services',
      load: async () => (await import('./commands/list.ts')).list,
    },
  ],
  [
    'info',
    {
      operands: ['[name]'],
      summary: 'print the region as this process has it, and its server',
      load: async () => (await import('./commands/info.ts')).info,
    },
  ],
])
