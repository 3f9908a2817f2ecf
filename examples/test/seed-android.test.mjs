/** The sample's four classes, line by line in TypeScript: they compile, run as two processes, and leave nothing behind. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { leakChecked, runProgram, startProgram, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { nodeFs, startRegistry } from './support/programs.mjs'

watchdog(t)
leakChecked(t)

const folder = fileURLToPath(new URL('../seed-app/', import.meta.url))
const esbuild = fileURLToPath(new URL('../../node_modules/.bin/esbuild', import.meta.url))
const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url))

t.test('they compile as they are', (t) => {
  const { status, stdout } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8' })
  t.same({ status, stdout }, { status: 0, stdout: '' })
  t.end()
})

t.test('the client reads what it has written, and the service has no descriptor more after many reads', async (t) => {
  const outfile = `${t.testdir()}/main.mjs` // Node.js 20 does not strip types
  const options = ['--bundle', '--packages=external', '--format=esm', '--target=node20', '--log-level=error']
  t.equal(spawnSync(esbuild, [`${folder}main.ts`, `--outfile=${outfile}`, ...options]).status, 0)
  const registry = await startRegistry(t)
  const program = { env: { MEMSVC_REGISTRY: registry } }
  const server = startProgram(outfile, ['server'], program)
  t.teardown(() => server.destroy())
  await server.stdout.find((line) => line.includes('Succeed to add memory service.'))
  const run = async (...args) => (await runProgram(outfile, args, program)).stdout.split('\n').at(-1)
  t.equal(await run('read'), '0')
  const open = () => nodeFs.readdirSync(`/proc/${server.pid}/fd`).length
  const before = open()
  for (const value of ['42', '-1', '2147483647', '-2147483648']) {
    t.equal(await run('write', value), value)
    t.equal(await run('read'), value)
  }
  // the service hears of its last client's end a moment after it; a leak ends in the watchdog
  while (open() > before) await new Promise(setImmediate)
  t.pass('as many descriptors as before')
})
