/** Who is nobody's stranger: the owner's own user, also where that is not root. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const program = fileURLToPath(import.meta.resolve('../../test-support/fixtures/own-store.js'))

for (const uid of [undefined, support.OTHER_UID]) {
  const options = uid === undefined ? {} : { skip: support.otherUserProblem(program) }
  t.test(`the own user may write and pays nothing, ${uid ?? 'whoever runs the tests'}`, options, async (t) => {
    const { code, stdout, stderr } = await support.runProgram(program, [], { uid })
    t.strictSame([code, stderr], [0, ''])
    const free = { set: 'may', setValue: 'may', keys: 0, bytes: 0, messages: 'all' }
    const refused = { set: 'ERR_SECURITY', setValue: 'ERR_SECURITY', keys: 0, bytes: 0, messages: 'some' }
    t.strictSame(JSON.parse(stdout), {
      own: free,
      root: free,
      stranger: refused,
      charged: { ...refused, set: 'may', keys: 1, bytes: 10 },
    })
  })
}
