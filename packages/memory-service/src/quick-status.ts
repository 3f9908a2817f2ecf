/** `memsvc status` in the usual case, in a small bundle that is tried first. If it declines, the whole command runs. */
import {
  Deadline,
  findRegistry,
  type PlainSyntax,
  readPlainWords,
  readRegistryOptions,
  readTimeout,
  tryReadStatus,
} from '@memsvc/shared/internal'
import type { ControlCommandOptions } from './commands/control.ts'
import { Output } from './commands/output.ts'
import { type Report, statusText } from './commands/status-text.ts'

type Options = Omit<ControlCommandOptions, 'spentMs'>

const SYNTAX: PlainSyntax<Options> = {
  values: new Map([
    ['--registry', 'registry'],
    ['--registry-owner', 'registryOwner'],
    ['--timeout', 'timeout'],
  ]),
  switches: new Map([
    ['--json', 'json'],
    ['--system', 'system'],
    ['--user', 'user'],
  ]),
  common: ['registry', 'registryOwner', 'timeout', 'json', 'system', 'user'],
  commands: new Map([['status', { operands: ['[name]'] }]]),
}

/**
 * @param begin of the attempt, in milliseconds by `process.hrtime()`, or now
 * @returns whether the status has been printed; otherwise the library is to begin
 */
export async function tryStatus(argv: readonly string[], begin?: number): Promise<boolean> {
  const asked = readPlainWords(argv, SYNTAX)
  if (asked === null) return false
  const { options, operands } = asked
  const [name = 'AnonymousSharedMemory'] = operands
  try {
    const { leftMs } = new Deadline(readTimeout(options.timeout), begin)
    const place = findRegistry(readRegistryOptions(options))
    // The other half is for the whole command.
    const text = await tryReadStatus({ place, name, timeoutMs: leftMs / 2 })
    if (text === null) return false
    const report: Report = { ...(JSON.parse(text) as Report), registry: place.path }
    new Output().line(statusText(report, options.json))
    return true
  } catch {
    return false // also where printing failed: the command will fail at it again, and knows what to say
  }
}
