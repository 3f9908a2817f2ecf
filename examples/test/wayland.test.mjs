/** A frame of a memfd's on the screen of a real compositor, which has no other way to it than the descriptor. */
import t from 'tap'
import { startWeston } from '../wayland/compositor.mjs'
import { readPng } from './support/png.mjs'
import { missing, nodeFs, nodePath, runExample, runTool, startExample } from './support/programs.mjs'

const skip = missing('weston', 'weston-screenshooter')

t.test('one command shows three frames, by a compositor that it starts', { skip }, async (t) => {
  const { code, stdout, stderr } = await runExample(t, 'wayland/main.mjs', [], '')
  t.match(stdout, /^3 frames of \d+ x \d+ were shown$/, stderr)
  t.equal(code, 0)
})

t.test('the screen shows what was written to the memfd', { skip }, async (t) => {
  const { path, folder, end } = await startWeston(['--debug'])
  t.teardown(end)
  const env = { XDG_RUNTIME_DIR: folder, WAYLAND_DISPLAY: path }
  const program = startExample(t, 'wayland/main.mjs', ['--stay'], '', { env, stdin: 'pipe' })
  const [, width, height] = /(\d+) x (\d+)/.exec(await program.stdout.next()) ?? []
  const { stderr } = await runTool(t, ['weston-screenshooter'], { cwd: folder, env })
  const name = nodeFs.readdirSync(folder).find((name) => name.endsWith('.png'))
  t.ok(name, stderr)
  const { colours } = readPng(nodeFs.readFileSync(nodePath.join(folder, name)))
  const pixels = ['cc3333', '33aa33', '3366cc'].map((colour) => colours.get(colour) ?? 0)
  t.same(pixels, [0, 0, width * height], 'every pixel of the last frame')
  program.say('enough')
  t.equal((await program.ending).code, 0)
})
