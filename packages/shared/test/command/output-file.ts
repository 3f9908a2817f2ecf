/** `--output FILE`: a file is whole or as it was, and what is no file is not replaced by one. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { writeOutput } from '../../src/command/output-file.ts'
import { leakChecked, nodeFs, nodePath, startProgram, watchdog } from '../../test-support/index.ts'

const HALF_WRITTEN = fileURLToPath(import.meta.resolve('../../test-support/fixtures/half-written.js'))

watchdog(t)
leakChecked(t)

async function write(output: string, text = 'new'): Promise<void> {
  await writeOutput(output, async ({ fd }) => void nodeFs.writeSync(fd, text))
}

t.test('a file is replaced, and keeps its mode', async (t) => {
  const folder = t.testdir({ file: 'old, and longer' })
  const file = nodePath.join(folder, 'file')
  nodeFs.chmodSync(file, 0o600)
  await write(file)
  t.equal(nodeFs.readFileSync(file, 'utf8'), 'new')
  t.equal(nodeFs.statSync(file).mode & 0o777, 0o600)
  await write(nodePath.join(folder, 'another'))
  t.strictSame(nodeFs.readdirSync(folder).sort(), ['another', 'file'])
})

t.test('a link stays, also one that leads over others, and one to a file that is not there yet', async (t) => {
  const folder = t.testdir({ there: { file: 'old' } })
  const links = {
    near: 'there/file',
    far: 'near',
    dangling: 'there/new',
    'there/up': '../dangling2',
    dangling2: 'last',
  }
  for (const [link, target] of Object.entries(links)) nodeFs.symlinkSync(target, nodePath.join(folder, link))
  const written = { far: 'there/file', dangling: 'there/new', 'there/up': 'last' }
  for (const [link, file] of Object.entries(written)) {
    await write(nodePath.join(folder, link), link)
    t.equal(nodeFs.readFileSync(nodePath.join(folder, file), 'utf8'), link)
  }
  for (const [link, target] of Object.entries(links)) t.equal(nodeFs.readlinkSync(nodePath.join(folder, link)), target)
  nodeFs.symlinkSync('loop', nodePath.join(folder, 'loop'))
  await t.rejects(write(nodePath.join(folder, 'loop')), { exitCode: 1, message: /^cannot write to .*loop: ELOOP/ })
})

t.test('a device, and a link to one, is written to', async (t) => {
  const link = nodePath.join(t.testdir({}), 'link')
  nodeFs.symlinkSync('/dev/null', link)
  await write(link)
  await write('/dev/null')
  t.ok(nodeFs.lstatSync('/dev/null').isCharacterDevice())
  t.ok(nodeFs.lstatSync(link).isSymbolicLink())
  const full = writeOutput('/dev/full', async ({ fd }) => void nodeFs.writeSync(fd, 'new'))
  await t.rejects(full, { code: 'ENOSPC' })
})

t.test('a descriptor of its own goes on where it is: what was appended before stays', async (t) => {
  const log = nodePath.join(t.testdir({ log: 'one\n' }), 'log')
  const fd = nodeFs.openSync(log, 'a')
  for (const name of [`/dev/fd/${fd}`, `/proc/self/fd/${fd}`]) await write(name, 'new\n')
  nodeFs.closeSync(fd)
  t.equal(nodeFs.readFileSync(log, 'utf8'), 'one\nnew\nnew\n')
})

t.test('a file that cannot be written stays as it was', async (t) => {
  const folder = t.testdir({ file: 'old' })
  const failing = writeOutput(nodePath.join(folder, 'file'), async ({ fd }) => {
    nodeFs.writeSync(fd, 'half')
    throw new Error('no more')
  })
  await t.rejects(failing, { message: 'no more' })
  await t.rejects(write(folder), { exitCode: 1, message: /^cannot write to .*: EISDIR/ })
  await t.rejects(write(nodePath.join(folder, 'none/file')), { exitCode: 1, message: /^cannot write to .*: ENOENT/ })
  await t.rejects(write(''), { exitCode: 2, message: /must not be empty/ })
  t.equal(nodeFs.readFileSync(nodePath.join(folder, 'file'), 'utf8'), 'old')
  t.strictSame(nodeFs.readdirSync(folder), ['file'])
})

t.test('a signal that ends it half-way leaves nothing behind', async (t) => {
  const folder = t.testdir({ file: 'old' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const program = startProgram(HALF_WRITTEN, [nodePath.join(folder, 'file')])
    t.equal(await program.stdout.next(), 'begun')
    t.equal(nodeFs.readdirSync(folder).length, 2)
    program.kill(signal)
    t.match(await program.ending, { code: null, signal })
    t.strictSame(nodeFs.readdirSync(folder), ['file'], signal)
    t.equal(nodeFs.readFileSync(nodePath.join(folder, 'file'), 'utf8'), 'old')
  }
})
