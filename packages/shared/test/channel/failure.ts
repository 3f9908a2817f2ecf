/** What travels of a failure: as much of its message as is worth it, and of a limit what it was. */
import t from 'tap'
import { failureBody, failureError } from '../../src/channel/failure.ts'
import { STATUS_LIMIT, STATUS_TOO_LARGE } from '../../src/channel/message.ts'
import { LimitError } from '../../src/util/errors.ts'
import { leakChecked } from '../../test-support/index.ts'

leakChecked(t)

function arrived(status: number, message: string, limit?: LimitError): Error | null {
  const body = failureBody(message, limit)
  const bytes = Buffer.alloc(body.size)
  body.copyTo(bytes, 0)
  return failureError({
    status,
    body: { bytes, start: 0, size: body.dataSize, isBorrowed: false, objects: [], fds: [] },
  })
}

t.test('1,000 characters of a message travel, and no more', async (t) => {
  t.equal(arrived(STATUS_TOO_LARGE, 'a'.repeat(1000))?.message, 'a'.repeat(1000))
  t.equal(arrived(STATUS_TOO_LARGE, 'a'.repeat(1001))?.message, 'a'.repeat(1000))
  const limit = new LimitError('b'.repeat(2000), 5, 6)
  t.match(arrived(STATUS_LIMIT, 'x', limit), { resource: 'b'.repeat(1000), limit: 5, used: 6 })
})
