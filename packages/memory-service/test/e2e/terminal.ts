/** What people see on a terminal: one of their own, with a size and a keyboard. */
import { leakChecked, noTerminal, Terminal, type TerminalOptions, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { MEMSVC, memsvc, startMemsvc } = support

watchdog(t)
leakChecked(t)

// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are told begins with it
const ESCAPE = /\u001b/
const ENTER = '\u001b[?1049h'
const LEAVE = '\u001b[?1049l'
const HOME = '\u001b[H'
const SHOW_CURSOR = '\u001b[?25h'

function onTerminal(t: Test, registry: string, args: readonly string[], options: TerminalOptions = {}) {
  return new Terminal(t, [MEMSVC, ...args, '--registry', registry], options)
}

/** How often it has drawn. */
function frames({ shown }: Terminal): number {
  return shown.split(HOME).length - 1
}

t.test('on a terminal', { skip: noTerminal }, async (t) => {
  const keys = [
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
  ] as const
  for (const [name, key] of keys) {
    await t.test(`top draws again and again, and ${name} leaves the terminal as it was`, async (t) => {
      const { registry, program } = await startMemsvc(t)
      const terminal = onTerminal(t, registry, ['top', '--interval', '0.05'])
      await terminal.shows(`pid ${program.pid}`)
      const value = await support.openValue(t, registry)
      await value.set(4242)
      await terminal.shows('value 4242')
      t.ok(frames(terminal) >= 2)
      terminal.type(key)
      t.equal(await terminal.ending, 0)
      const { shown } = terminal
      t.ok(shown.startsWith(ENTER))
      t.ok(shown.endsWith(SHOW_CURSOR + LEAVE), 'the cursor and the first screen are back')
    })
  }

  await t.test('top keeps to the room that it has', async (t) => {
    const { registry } = await startMemsvc(t)
    const terminal = onTerminal(t, registry, ['top', '--count', '2', '--interval', '0.05'], { columns: 30, rows: 5 })
    t.equal(await terminal.ending, 0)
    const [, frame = ''] = terminal.shown.split(HOME)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const lines = frame.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '').split('\r\n')
    t.equal(lines.length, 5)
    for (const line of lines) t.ok(line.length <= 30, line)
  })

  await t.test('top goes on over the end of the daemon, and says so meanwhile', async (t) => {
    const { registry, program } = await startMemsvc(t)
    const terminal = onTerminal(t, registry, ['top', '--interval', '0.05'])
    await terminal.shows(`pid ${program.pid}`)
    await program.destroy()
    await terminal.shows('memsvc top tries again')
    const next = await startMemsvc(t, { registry })
    await terminal.shows(`pid ${next.program.pid}`)
    terminal.type('q')
    t.equal(await terminal.ending, 0)
  })

  await t.test('if no daemon runs, top says so on the first screen, and ends', async (t) => {
    const terminal = onTerminal(t, support.newRegistryPath(t), ['top'])
    t.equal(await terminal.ending, 3)
    t.notOk(terminal.shown.includes(ENTER))
    t.match(terminal.shown, /no registry at/)
  })

  await t.test('colours are for terminals of those who want them', async (t) => {
    const { registry } = await startMemsvc(t)
    const green = '\u001b[32mok'
    const look = async (env: Record<string, string>) => {
      const terminal = onTerminal(t, registry, ['doctor'], { env, columns: 200 })
      await terminal.ending
      return terminal.shown
    }
    t.ok((await look({})).includes(green))
    t.ok((await look({ NO_COLOR: '' })).includes(green), 'an empty one says nothing')
    t.notMatch(await look({ NO_COLOR: '1' }), ESCAPE)
    t.notMatch(await look({ TERM: 'dumb' }), ESCAPE)
    t.notMatch((await memsvc(registry, ['doctor'])).stdout, ESCAPE, 'and a pipe is none')
    const top = onTerminal(t, registry, ['top', '--count', '1'], { env: { TERM: 'dumb' } })
    t.equal(await top.ending, 0)
    t.notMatch(top.shown, ESCAPE)
  })

  await t.test('the log is coloured there where it is readable text', async (t) => {
    const look = async (env: Record<string, string>) => {
      const registry = support.newRegistryPath(t)
      const terminal = onTerminal(t, registry, ['start', '--log-format', 'text', '--log-level', 'debug'], { env })
      await terminal.shows(/INFO.* ready/)
      await memsvc(registry, ['list'])
      await terminal.shows('DEBUG')
      terminal.type('\u0003') // as a person ends it
      t.equal(await terminal.ending, 0)
      return terminal.shown
    }
    t.match(await look({}), ESCAPE)
    t.notMatch(await look({ NO_COLOR: '1' }), ESCAPE)
  })

  await t.test('inspect draws within the width, a column for each process', async (t) => {
    const { registry, program } = await startMemsvc(t)
    const watcher = support.startMemclient(t, registry, ['watch'])
    await watcher.stdout.next()
    for (const columns of [60, 100, 160]) {
      const terminal = onTerminal(t, registry, ['inspect'], { columns, rows: 60 })
      t.equal(await terminal.ending, 0)
      // Sentences are the terminal's to break; the drawing is not.
      const drawing = terminal.shown.split('\r\n').filter((line) => !line.startsWith('not seen: '))
      for (const line of drawing) t.ok(line.length <= columns, `${columns}: ${line}`)
      if (process.getuid?.() === 0) t.ok(terminal.shown.includes(`process ${program.pid}`))
      t.match(terminal.shown, 'the memory')
    }
  })

  await t.test('status is lines of words', async (t) => {
    const { registry } = await startMemsvc(t)
    const terminal = onTerminal(t, registry, ['status'])
    t.equal(await terminal.ending, 0)
    t.match(terminal.shown, /^uptime: /m)
    t.notMatch(terminal.shown, ESCAPE)
  })
})
