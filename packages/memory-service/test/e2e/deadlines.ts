/** A daemon that is stopped answers nothing, and is not dead: commands that ask it end all the same. */
import { writeFileSync } from 'node:fs'
import { leakChecked, newRegistryPath, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { memsvc, startMemsvc } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

const COMMANDS = ['status', 'list', 'reload', 'stop']

t.test('a registry that is stopped is given up after the timeout, with 5', async (t) => {
  const { registry, program } = await startMemsvc(t)
  program.kill('SIGSTOP')
  const endings = COMMANDS.map((command) => memsvc(registry, ['--timeout', '0.2', command]))
  for (const ending of await Promise.all(endings)) {
    t.match(ending, {
      code: 5,
      stdout: '',
      stderr: 'memsvc: the registry has not answered for 0.2 s, try again later',
    })
  }
  t.match(await memsvc(registry, ['list']), { code: 5, stderr: / for 5 s, / }, 'without a timeout after 5 s')
})

t.test('a service that is stopped is given up too, and named', async (t) => {
  const { registry } = await startMemsvc(t, { args: ['--name', 'host'] })
  const { program } = await startMemsvc(t, { registry, args: ['--name', 'stuck'] })
  program.kill('SIGSTOP')
  t.match(await memsvc(registry, ['list']), { code: 0 })
  for (const command of ['status', 'reload', 'stop']) {
    const { code, stdout, stderr } = await memsvc(registry, [command, 'stuck', '--timeout=1'])
    t.equal(code, 5)
    t.equal(stdout, '')
    t.match(stderr, /memsvc: stuck has not answered for 1 s, try again later$/)
  }
})

t.test('what somebody preloaded does not keep a command that is done', async (t) => {
  const { registry } = await startMemsvc(t)
  const agent = `${newRegistryPath(t)}.cjs`
  writeFileSync(agent, 'setInterval(() => undefined, 1000)')
  for (const args of [['list'], ['status'], ['limits'], ['list', '--json']]) {
    t.match(await memsvc(registry, args, { env: { NODE_OPTIONS: `--require ${agent}` } }), { code: 0, stderr: '' })
  }
})
