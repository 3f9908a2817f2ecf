import {
  DeadObjectError,
  IllegalStateError,
  InvalidArgTypeError,
  InvalidArgValueError,
  LimitError,
  OutOfRangeError,
  RegistryUnavailableError,
  SecurityError,
  ServiceNotFoundError,
} from '@memsvc/shared'
import t from 'tap'
import { exitCodeOf } from '../src/exit-codes.ts'

const withCode = (code: string) => Object.assign(new Error(code), { code })

const CODES: [error: unknown, status: number][] = [
  [new IllegalStateError(''), 1],
  [new DeadObjectError(''), 1],
  [withCode('ENOSPC'), 1],
  [new Error('without a code'), 1],
  ['not even an error', 1],
  [undefined, 1],
  [new InvalidArgValueError(''), 2],
  [new InvalidArgTypeError(''), 2],
  [new OutOfRangeError(''), 2],
  [new RegistryUnavailableError(''), 3],
  [new ServiceNotFoundError(''), 3],
  [new SecurityError(''), 4],
  [withCode('EACCES'), 4],
  [withCode('EPERM'), 4],
  [new LimitError('names', 1, 1), 5],
  [withCode('EAGAIN'), 5],
]

for (const [error, status] of CODES) {
  t.test(`${(error as { code?: string })?.code ?? String(error)} ends in ${status}`, async (t) => {
    t.equal(exitCodeOf(error), status)
  })
}
