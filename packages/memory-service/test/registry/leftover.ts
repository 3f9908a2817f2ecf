/** Whose file is in the way: the words for it, and that nothing is made up where there is none. */
import t from 'tap'
import { explainClosedSocket, explainRefusal } from '../../src/registry/leftover.ts'
import { nodeFs, nodePath, OTHER_UID } from '../../test-support/index.ts'

const refusal = Object.assign(new Error('no'), { code: 'EACCES' })
const skip = process.getuid?.() === 0 ? false : 'needs root'

t.test('a leftover of the same user is reported as it is', async (t) => {
  const folder = t.testdir({ own: '' })
  for (const name of ['own', 'missing', 'missing/below']) {
    const path = nodePath.join(folder, name)
    t.equal(explainRefusal(path, refusal), refusal, name)
    t.equal(explainClosedSocket(path, refusal), refusal, name)
  }
  const other = Object.assign(new Error('full'), { code: 'ENOSPC' })
  t.equal(explainRefusal('/proc/1', other), other)
})

t.test('a file, or the folder of one that is not there, belongs to somebody', { skip }, async (t) => {
  const folder = t.testdir({ file: '' })
  const file = nodePath.join(folder, 'file')
  nodeFs.chownSync(file, OTHER_UID, OTHER_UID)
  t.match(explainRefusal(file, refusal), {
    code: 'ERR_SECURITY',
    message: `${file} belongs to uid ${OTHER_UID}, not to uid 0, which starts this daemon`,
  })
  t.match(explainClosedSocket(file, refusal), { message: `${file} belongs to uid ${OTHER_UID} and is closed to uid 0` })
  nodeFs.chownSync(folder, OTHER_UID, OTHER_UID)
  t.match(explainRefusal(nodePath.join(folder, 'missing'), refusal), {
    code: 'ERR_SECURITY',
    message: `${folder} belongs to uid ${OTHER_UID}, not to uid 0, which starts this daemon`,
  })
  nodeFs.chownSync(folder, 0, 0)
})
