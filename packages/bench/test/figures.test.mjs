import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../figures/main.mjs', import.meta.url))

function figure(...args) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
}

t.test('without a name the figures are listed', async (t) => {
  const { status, stdout } = figure()
  t.equal(status, 0)
  for (const name of ['connections', 'watchers', 'stopped-watchers', 'starts', 'takeovers', 'restarts']) {
    t.match(stdout, new RegExp(`^${name} --`, 'm'))
  }
})

t.test('an unknown figure is 2', async (t) => {
  t.match(figure('nothing'), { status: 2, stderr: /there is no figure nothing/ })
})

const SMALL = {
  connections: ['--connections', '20', '--seconds', '1', '--processes', '1'],
  watchers: ['--watchers', '20', '--seconds', '1', '--processes', '1'],
  starts: ['--rounds', '1', '--starters', '3'],
  takeovers: ['--rounds', '1', '--daemons', '2'],
  restarts: ['--rounds', '1'],
  'store-watchers': ['--watchers', '20', '--seconds', '1', '--processes', '1', '--groups', '3'],
}

for (const [name, args] of Object.entries(SMALL)) {
  t.test(`the figure ${name} is printed, with its command, the machine and a table`, async (t) => {
    const { status, stdout, stderr } = figure(name, ...args)
    t.equal(status, 0, stderr)
    t.match(stdout, `npm run figure -- ${name} ${args.join(' ')}\n`)
    t.match(stdout, /^\d{4}-\d\d-\d\d, \w+\+?, \d+ cores of .*, Linux .*, Node v/m)
    t.match(stdout, '| what | attempted | survived | |')
  })
}
