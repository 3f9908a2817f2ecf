/** The READMEs are held to the code: their examples run, their tables have the options and limits that there are. */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { newRegistryPath, startDaemon, startProgram } from '../../packages/shared/dist/test-support/index.js'
import { readText, repositoryRoot } from '../lib/workspace.mjs'

const MEMSVC = join(repositoryRoot, 'packages/memory-service/bin/memsvc.js')
const MEMCLIENT = join(repositoryRoot, 'packages/client-cli/bin/memclient.js')

/** The TypeScript blocks of a page, as JavaScript. */
function examples(page) {
  const blocks = [...readText(repositoryRoot, page).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  return blocks.map((block) => ts.transpileModule(block, { compilerOptions }).outputText)
}

/** Runs a block as a program below this repository, where it finds the packages. It goes with the test. */
function startExample(t, code, registry = '') {
  const path = join(repositoryRoot, '.tap', `example-${randomUUID()}.mjs`)
  writeFileSync(path, code)
  t.teardown(() => rmSync(path))
  const program = startProgram(path, [], { env: { MEMSVC_REGISTRY: registry } })
  t.teardown(() => program.destroy())
  return program
}

t.test('the example of the front page follows the value of a daemon', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const [example] = examples('README.md')
  const program = startExample(t, example, registry)
  t.equal(await program.stdout.find(() => true), '43', program.stderr.text)
})

t.test('the first example of the library runs', async (t) => {
  const [example] = examples('packages/shared/README.md')
  const { code, stderr } = await startExample(t, example).ending
  t.same({ code, stderr }, { code: 0, stderr: '' })
})

t.test('the service and the client of the library find each other', async (t) => {
  const [, service, client] = examples('packages/shared/README.md')
  const registry = newRegistryPath(t)
  const host = startProgram(MEMSVC, ['registry', '--registry', registry])
  t.teardown(() => host.destroy())
  await host.stderr.find((line) => line.includes('"ready"'))
  const serving = startExample(t, service, registry)
  const calling = startExample(t, `${client}\nconsole.log(view.readInt32BE(0))`, registry)
  const { stdout, stderr } = await calling.ending
  t.same({ stdout, stderr }, { stdout: '42', stderr: '' })
  t.equal(await serving.stdout.next(), `set to 42 by uid ${process.getuid()}`, serving.stderr.text)
})

function help(program, ...command) {
  return spawnSync(process.execPath, [program, ...command, '--help'], { encoding: 'utf8' }).stdout
}

function matches(text, pattern) {
  return [...text.matchAll(pattern)].map(([, found]) => found)
}

const PAGES = { memsvc: [MEMSVC, 'packages/memory-service'], memclient: [MEMCLIENT, 'packages/client-cli'] }

for (const [name, [program, folder]] of Object.entries(PAGES)) {
  t.test(`the README of ${name} has its commands and options, and no others`, async (t) => {
    const page = readText(repositoryRoot, `${folder}/README.md`)
    const commands = matches(help(program), /^ {2}([a-z-]+)/gm).filter((command) => !/^(-.*|help)$/.test(command))
    t.same(matches(page, new RegExp(`^\\| \`${name} ([a-z-]+)`, 'gm')), commands)

    const pages = [help(program), ...commands.map((command) => help(program, command))].join('\n')
    const options = new Set(matches(pages, /^ +(?:-\w, )?(--[a-z-]+)/gm))
    t.same(new Set([...matches(page, /^\| `(--[a-z-]+)/gm), '--help', '--version']), options)
  })
}

t.test('the README of the daemon has its limits', async (t) => {
  const page = readText(repositoryRoot, 'packages/memory-service/README.md')
  const args = [MEMSVC, 'limits', '--registry', '/no-configuration']
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', env: {} })
  t.match(stdout, /^\| connections \| 4,096 /m)
  t.equal(page.match(/^\| limit \|[\s\S]*?\n(?=\n)/m)?.[0], stdout)
})
