/** The commands by name, for both readers of the command line. */

import { changes } from './commands/changes.ts'
import { completion } from './commands/completion.ts'
import type { Command } from './commands/context.ts'
import { deleteKey } from './commands/delete.ts'
import { exportStore } from './commands/export.ts'
import { get } from './commands/get.ts'
import { importStore } from './commands/import.ts'
import { increment } from './commands/increment.ts'
import { info } from './commands/info.ts'
import { keys } from './commands/keys.ts'
import { list } from './commands/list.ts'
import type { Options } from './commands/options.ts'
import { put } from './commands/put.ts'
import { read } from './commands/read.ts'
import { ui } from './commands/ui.ts'
import { watch } from './commands/watch.ts'
import { write } from './commands/write.ts'

export interface CommandEntry {
  /** As commander writes them: `<needed>`, `[optional]`. */
  readonly operands: readonly string[]
  /** Besides those that all commands have. */
  readonly options?: readonly (keyof Options)[]
  readonly summary: string
  readonly execute: Command
}

export const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  [
    'read',
    {
      operands: ['[name]'],
      options: ['wait'],
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
      options: ['wait', 'count', 'until'],
      summary: 'print the value and every change of it until interrupted',
      execute: watch,
    },
  ],
  [
    'get',
    {
      operands: ['<key>'],
      options: ['store', 'output', 'maxAge'],
      summary: "print a store's value: JSON as one line, bytes as they are",
      execute: get,
    },
  ],
  [
    'put',
    {
      operands: ['<key>', '[value]'],
      options: ['store', 'file', 'bytes', 'ifVersion', 'ttl'],
      summary: 'store a value: JSON, else a string; without one, what stdin has',
      execute: put,
    },
  ],
  [
    'delete',
    { operands: ['<key>'], options: ['store', 'ifVersion'], summary: 'delete a key of a store', execute: deleteKey },
  ],
  [
    'increment',
    {
      operands: ['<key>', '[by]'],
      options: ['store', 'ttl'],
      summary: 'add to a number of a store, 1 unless BY says otherwise, and print the sum',
      execute: increment,
    },
  ],
  [
    'keys',
    { operands: ['[prefix]'], options: ['store'], summary: 'print the keys of a store, one a line', execute: keys },
  ],
  [
    'changes',
    {
      operands: ['[prefix]'],
      options: ['store', 'count'],
      summary: 'print every change of a store until interrupted: KEY VALUE, or KEY of a deleted one',
      execute: changes,
    },
  ],
  [
    'import',
    {
      operands: ['<file>'],
      options: ['store'],
      summary: 'store what a file has, one JSON object {key: value}; - is stdin',
      execute: importStore,
    },
  ],
  [
    'export',
    {
      operands: ['[prefix]'],
      options: ['store', 'output'],
      summary: 'print a store as one JSON object, all of one moment',
      execute: exportStore,
    },
  ],
  ['list', { operands: [], summary: 'print the names of all services', execute: list }],
  [
    'ui',
    {
      operands: ['[name]'],
      options: ['store', 'port', 'open', 'start'],
      summary: 'open a window in the browser: print its address, and serve it until interrupted',
      execute: ui,
    },
  ],
  [
    'completion',
    {
      operands: ['<shell>'],
      summary: 'print what makes a shell complete the words of this command: bash, zsh, fish',
      execute: completion,
    },
  ],
  ['info', { operands: ['[name]'], summary: 'print the region as this process has it, and its server', execute: info }],
])
