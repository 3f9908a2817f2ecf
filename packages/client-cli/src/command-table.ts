/** The commands by name, for both readers of the command line. */

import type { Command } from './commands/context.ts'
import { info } from './commands/info.ts'
import { list } from './commands/list.ts'
import { read } from './commands/read.ts'
import { watch } from './commands/watch.ts'
import { write } from './commands/write.ts'

export interface CommandEntry {
  /** As commander writes them: `<needed>`, `[optional]`. */
  readonly operands: readonly string[]
  readonly summary: string
  readonly execute: Command
}

export const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map([
  [
    'read',
    {
      operands: ['[name]'],
      summary: 'print the value, read from the shared memory',
      execute: read,
    },
  ],
  [
    'write',
    {
      operands: ['<value>', '[name]'],
      summary: 'ask the service to set the value, a decimal int32',
      execute: write,
    },
  ],
  [
    'watch',
    {
      operands: ['[name]'],
      summary: 'print the value and every change of it until interrupted',
      execute: watch,
    },
  ],
  [
    'list',
    {
      operands: [],
      summary: 'print the names of all services',
      execute: list,
    },
  ],
  [
    'info',
    {
      operands: ['[name]'],
      summary: 'print the region as this process has it, and its server',
      execute: info,
    },
  ],
])
