/** What a program makes of the globals changes nothing: they are taken from Node's own modules, when the library is loaded. */
import t from 'tap'
import { leakChecked, runProgram, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const program = new URL('../../test-support/fixtures/uses-everything.js', import.meta.url).pathname
const inRealm = new URL('../../test-support/fixtures/in-a-realm.js', import.meta.url).pathname

for (const change of [
  'nothing',
  'timers of a window',
  'clocks that stand still',
  'no globals of the web',
  'no globals of Node',
  'an Error that is frozen',
]) {
  t.test(`a program with ${change} works as ever`, async (t) => {
    const { registry } = await startRegistry(t)
    const { code, stdout, stderr } = await runProgram(program, [change, registry])
    t.same({ code, stdout, stderr }, { code: 0, stdout: 'done', stderr: '' })
  })
}

for (const [where, flags] of [
  ['in a realm of its own (node:vm), which has no globals of Node', []],
  ['in a realm of its own, with frozen intrinsics', ['--frozen-intrinsics']],
] as const) {
  t.test(`${where}, it works as ever`, async (t) => {
    const { registry } = await startRegistry(t)
    const options = { env: { NODE_NO_WARNINGS: '1' } }
    const args = [...flags, '--no-warnings', inRealm, program, registry]
    const { code, stdout, stderr } = await runProgram('--experimental-vm-modules', args, options)
    t.same({ code, stdout, stderr }, { code: 0, stdout: 'done', stderr: '' })
  })
}

t.test('with frozen intrinsics it works as ever', async (t) => {
  const { registry } = await startRegistry(t)
  const { code, stdout, stderr } = await runProgram('--frozen-intrinsics', [program, 'nothing', registry], {
    env: { NODE_NO_WARNINGS: '1' },
  })
  t.same({ code, stdout, stderr }, { code: 0, stdout: 'done', stderr: '' })
})
