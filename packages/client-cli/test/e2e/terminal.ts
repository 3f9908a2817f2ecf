/** What people see on a terminal while something takes long, and that nobody else is shown it. */
import { leakChecked, noTerminal, Terminal, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const { MEMCLIENT, memclient, nodeFs, nodePath, startMemsvc } = support

watchdog(t)
leakChecked(t)

/** A file to import, of so many keys. */
function manyKeys(t: support.Test, count: number): string {
  const path = nodePath.join(t.testdir({}), 'keys.json')
  const values = Object.fromEntries(Array.from({ length: count }, (_, i) => [`key/${i}`, i]))
  nodeFs.writeFileSync(path, JSON.stringify(values))
  return path
}

t.test('a long import shows how far it is, and wipes that away', { skip: noTerminal }, async (t) => {
  const { registry } = await startMemsvc(t)
  const file = manyKeys(t, 3000)
  const terminal = new Terminal(t, [MEMCLIENT, 'import', file, '--registry', registry])
  t.equal(await terminal.ending, 0)
  t.match(terminal.shown, /\rimported \d+ of 3000 keys/)
  const wiped = '\r\u001b[K'
  const rest = terminal.shown.slice(terminal.shown.lastIndexOf(wiped) + wiped.length)
  t.notMatch(rest, /of 3000 keys/)
})

t.test('on a pipe, and on a terminal that knows only lines, there is no progress', { skip: noTerminal }, async (t) => {
  const { registry } = await startMemsvc(t)
  const file = manyKeys(t, 3000)
  t.match(await memclient(registry, ['import', file]), { code: 0, stderr: '' })
  const dumb = new Terminal(t, [MEMCLIENT, 'import', file, '--registry', registry], { env: { TERM: 'dumb' } })
  t.equal(await dumb.ending, 0)
  t.notMatch(dumb.shown, /of 3000 keys/)
})

t.test('the remaining time is shown once it is more than a guess', async (t) => {
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  const shown: string[] = []
  const context = { showProgress: (text: string) => shown.push(text) } as unknown as support.Context
  {
    using progress = support.startProgress(context, 'imported', 'keys')
    for (const [at, done] of [
      [0, 0],
      [500, 50],
      [550, 55],
      [1000, 100],
      [2000, 990],
    ] as const) {
      now = at
      progress.show(done, 1000)
    }
  }
  t.strictSame(shown, [
    'imported 0 of 1000 keys',
    'imported 50 of 1000 keys',
    'imported 100 of 1000 keys, 9 s left',
    'imported 990 of 1000 keys, 1 s left',
    '',
  ])
})
