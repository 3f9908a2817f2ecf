import t from 'tap'
import { cleanEnvironment, RunningProgram } from '../src/harness/process.ts'
import { allowedCpus } from '../src/machine.ts'

const ANSWERING = `
  console.log('ready')
  process.getBuiltinModule('node:readline').createInterface(process.stdin).on('line', (line) => {
    if (line.startsWith('fail')) throw new RangeError('as asked')
    console.log(JSON.stringify({ length: line.length }))
  })`

const script = (text: string) => ({ argv: [process.execPath, '-e', text] })

t.test('a program is asked for samples and ended', async (t) => {
  const program = await RunningProgram.start(script(ANSWERING), null)
  t.same(await program.sample('set', 100), { length: 'set 100'.length })
  t.same(await program.sample('get', 5), { length: 'get 5'.length })
  await program.stop()
  t.throws(() => process.kill(program.pid, 0), { code: 'ESRCH' })
  await program.stop()
})

t.test('it runs on the core that it is given', async (t) => {
  const allowed = `console.log('ready ' + /Cpus_allowed_list:\\s*(\\S+)/.exec(process.getBuiltinModule('node:fs').readFileSync('/proc/self/status', 'utf8'))[1]); setInterval(() => {}, 1e6)`
  const [cpu = 0] = allowedCpus()
  const program = await RunningProgram.start({ ...script(allowed), ready: new RegExp(`^ready ${cpu}$`, 'm') }, cpu)
  await program.stop()
  t.pass(`it is on core ${cpu}`)
})

t.test('a program that dies tells what it died of', async (t) => {
  const program = await RunningProgram.start(script(ANSWERING), null)
  t.teardown(() => program.stop())
  await t.rejects(program.sample('fail', 0), { message: /ended by 1; RangeError: as asked/ })
  await t.rejects(program.sample('set', 0), { message: /it has ended/ })
})

t.test('a program that does not get ready is an error', async (t) => {
  await t.rejects(RunningProgram.start(script('process.exit(3)'), null), { message: /ended by 3/ })
  await t.rejects(RunningProgram.start({ argv: ['/nowhere/nothing'] }, null), { message: /ended by 1/ })
})

t.test('variables that change how long a start takes are not passed on', (t) => {
  process.env.NODE_EXTRA_CA_CERTS = '/some.pem'
  t.teardown(() => delete process.env.NODE_EXTRA_CA_CERTS)
  t.notOk('NODE_EXTRA_CA_CERTS' in cleanEnvironment())
  t.equal(cleanEnvironment().PATH, process.env.PATH)
  t.end()
})
