import { openSync } from 'node:fs'
import { constants } from 'node:os'
import t from 'tap'
import { errnos, SyscallError } from '../src/index.ts'

const NAMES: [number, string][] = [
  [-1, 'EPERM'],
  [-11, 'EAGAIN'],
  [-35, 'EDEADLK'],
  [-91, 'EPROTOTYPE'],
  [-92, 'ENOPROTOOPT'],
  [-95, 'ENOTSUP'],
  [-54, 'EXFULL'],
  [-109, 'ETOOMANYREFS'],
  [-122, 'EDQUOT'],
  [-4000, 'E4000'],
]

for (const [errno, code] of NAMES) {
  t.test(`errno ${errno} has the code ${code}`, async (t) => {
    t.match(new SyscallError('call', errno), { code, errno, syscall: 'call', message: `call: ${code}` })
  })
}

t.test('a syscall error has the fields of one of Node', async (t) => {
  try {
    openSync('/nowhere', 'r')
    t.fail('no error')
  } catch (error) {
    const { code, errno, syscall } = error as NodeJS.ErrnoException
    t.match(new SyscallError('open', -2), { code, errno, syscall })
  }
})

t.test('a syscall error says its detail, and its name sits on the prototype', async (t) => {
  const error = new SyscallError('bind', -36, 'a long path')
  t.equal(error.message, 'bind: ENAMETOOLONG, a long path')
  t.equal(error.name, 'SyscallError')
  t.notOk(Object.keys(error).includes('name'))
})

t.test('every errno of the table has the number that this system gives it', async (t) => {
  const ofSystem: Readonly<Record<string, number>> = constants.errno
  for (const [name, errno] of Object.entries(errnos)) {
    t.equal(new SyscallError('call', errno).code, name)
    if (name in ofSystem) t.equal(-errno, ofSystem[name], name)
  }
})
