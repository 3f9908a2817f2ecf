/** `memclient write`: values, refusals, and who may. */
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

t.test('every int32 is written, silently, and read', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const value of ['42', '-1', '2147483647', '-2147483648', '0']) {
    t.match(await support.memclient(registry, ['write', value]), { code: 0, stdout: '', stderr: '' }, value)
    t.equal(await support.readValue(registry), value)
  }
})

t.test('with --json it says what it wrote', async (t) => {
  const { registry } = await support.startMemsvc(t)
  t.match(await support.memclient(registry, ['write', '-5', '--json']), {
    code: 0,
    stdout: '{"name":"AnonymousSharedMemory","value":-5}',
  })
})

t.test('a value that is not an int32 is refused, and the old value stays', async (t) => {
  const { registry } = await support.startMemsvc(t)
  await support.memclient(registry, ['write', '42'])
  for (const text of ['2147483648', '-2147483649', '1.5', '-1.5', 'abc', '']) {
    const refusal = {
      code: 2,
      stdout: '',
      stderr: /^memclient: the value must be a decimal integer from -2147483648 to /,
    }
    t.match(await support.memclient(registry, ['write', text]), refusal, text)
  }
  t.equal(await support.readValue(registry), '42')
})

t.test('options may stand anywhere, and -- ends them', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const lines: string[][] = [
    ['--registry', registry, 'write', '-1'],
    ['write', '--registry', registry, '-2', 'AnonymousSharedMemory'],
    ['write', '-3', 'AnonymousSharedMemory', `--registry=${registry}`],
    ['write', '--registry', registry, '--', '-4'],
    ['write', '-5', '--registry', registry, '--', 'AnonymousSharedMemory'],
  ]
  for (const [i, line] of lines.entries()) {
    t.match(await support.memclient('/nowhere', line), { code: 0, stderr: '' }, line.join(' '))
    t.equal(await support.readValue(registry), String(-1 - i))
  }
})

const ACCESS: [title: string, writers: string[], code: number, value: string][] = [
  ['another user may not write', [], 4, '0'],
  ['another user may write if the daemon names that user', ['--writers', String(OTHER_UID)], 0, '42'],
]

for (const [title, writers, code, value] of ACCESS) {
  t.test(title, { skip: otherUserProblem(support.MEMCLIENT) }, async (t) => {
    const registry = newRegistryPath(t, support.OPEN_DIRECTORY)
    await support.startMemsvc(t, { args: ['--socket-mode', '666', ...writers], registry })
    t.match(await support.memclient(registry, ['write', '42'], { uid: OTHER_UID }), { code, stdout: '' })
    t.equal(await support.readValue(registry), value)
  })
}

t.test('a service that never answers is given up', async (t) => {
  const { registry } = await support.startMemsvc(t)
  await support.publish(t, registry, 'mute', { setValue: support.never })
  t.match(await support.memclient(registry, ['write', '1', 'mute']), {
    code: 5,
    stdout: '',
    stderr: /^memclient: mute has not answered for/,
  })
})

t.test("a service's own error is told", async (t) => {
  const { registry } = await support.startMemsvc(t)
  const setValue = () => {
    throw Object.assign(new Error('not today\n\u001b[31m'), { code: 'ERR_ILLEGAL_STATE' })
  }
  await support.publish(t, registry, 'sulky', { setValue })
  t.match(await support.memclient(registry, ['write', '1', 'sulky']), {
    code: 1,
    stdout: '',
    stderr: 'memclient: not today [31m',
  })
})
