import { LimitError, RegistryUnavailableError, SecurityError, ServiceNotFoundError } from '@memsvc/shared'
import t from 'tap'
import { EXIT, exitCodeOf, ToolError } from '../src/exit-codes.ts'

const ERRORS: [error: unknown, exitCode: number][] = [
  [new ToolError(EXIT.tryAgain, 'late'), 5],
  [new RegistryUnavailableError('nobody'), 3],
  [new ServiceNotFoundError('nobody'), 3],
  [new SecurityError('no'), 4],
  [new LimitError('watchers', 1, 1), 5],
  [Object.assign(new Error('full'), { code: 'EAGAIN' }), 5],
  [Object.assign(new Error('full'), { code: 'ENOSPC' }), 1],
  [Object.assign(new Error('odd'), { code: 'toString' }), 1],
  [Object.assign(new Error('odd'), { code: 4 }), 1],
  [new Error('unknown'), 1],
  ['a string', 1],
  [null, 1],
]

t.test('the exit code goes by the error code', async (t) => {
  for (const [error, exitCode] of ERRORS) t.equal(exitCodeOf(error), exitCode, String(error))
})
