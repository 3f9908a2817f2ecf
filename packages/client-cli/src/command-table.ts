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
      summary: 'print the value, which is read from shared memory',
      execute: read,
    },
  ],
  [
    'write',
    {
      operands: ['<value>', '[name]'],
      summary: 'set the value, a decimal int32',
      execute: write,
    },
  ],
  [
    'watch',
    {
      operands: ['[name]'],
      options: ['wait', 'count', 'until'],
      summary: 'print the value, and again after each change, until you press Ctrl-C',
      execute: watch,
    },
  ],
  [
    'get',
    {
      operands: ['<key>'],
      options: ['store', 'output', 'maxAge'],
      summary: 'print the value of a key: JSON on one line, bytes as they are',
      execute: get,
    },
  ],
  [
    'put',
    {
      operands: ['<key>', '[value]'],
      options: ['store', 'file', 'bytes', 'ifVersion', 'ttl'],
      summary: 'store VALUE under a key, as JSON if it is JSON, else as a string; without VALUE, standard input',
      execute: put,
    },
  ],
  [
    'delete',
    { operands: ['<key>'], options: ['store', 'ifVersion'], summary: 'delete a key from a store', execute: deleteKey },
  ],
  [
    'increment',
    {
      operands: ['<key>', '[by]'],
      options: ['store', 'ttl'],
      summary: 'add BY (default: 1) to the number of a key, and print the new value',
      execute: increment,
    },
  ],
  [
    'keys',
    { operands: ['[prefix]'], options: ['store'], summary: 'print the keys of a store, one per line', execute: keys },
  ],
  [
    'changes',
    {
      operands: ['[prefix]'],
      options: ['store', 'count'],
      summary: 'print each change of a store until you press Ctrl-C: KEY VALUE, or KEY alone for a delete',
      execute: changes,
    },
  ],
  [
    'import',
    {
      operands: ['<file>'],
      options: ['store'],
      summary: 'store the values of a file, one JSON object {key: value}; - means standard input',
      execute: importStore,
    },
  ],
  [
    'export',
    {
      operands: ['[prefix]'],
      options: ['store', 'output'],
      summary: 'print a store as one JSON object, a snapshot of one moment',
      execute: exportStore,
    },
  ],
  ['list', { operands: [], summary: 'print the names of all services', execute: list }],
  [
    'ui',
    {
      operands: ['[name]'],
      options: ['store', 'port', 'open', 'start'],
      summary: 'serve a window for your browser until you press Ctrl-C, and print its address',
      execute: ui,
    },
  ],
  [
    'completion',
    {
      operands: ['<shell>'],
      summary: 'print a script for your shell (bash, zsh, fish), which then completes the words of this command',
      execute: completion,
    },
  ],
  [
    'info',
    {
      operands: ['[name]'],
      summary: 'print the state of the region in this process, and who serves it',
      execute: info,
    },
  ],
])
