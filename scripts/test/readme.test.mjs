/** The READMEs are held to the code: their examples run, their tables have the options and limits that there are. */
import t from 'tap'
import ts from 'typescript'
import * as harness from '../../packages/shared/dist/test-support/harness.js'
import { readText, repositoryRoot } from '../lib/workspace.mjs'
import { nodeChildProcess, nodeCrypto, nodeFs, nodePath } from './support/node.mjs'

const { spawnSync } = nodeChildProcess
const { randomUUID } = nodeCrypto
const { rmSync, writeFileSync } = nodeFs
const { join } = nodePath
const { newRegistryPath, startDaemon, startProgram, watchdog } = harness

const MEMSVC = join(repositoryRoot, 'packages/memory-service/bin/memsvc.js')
const MEMCLIENT = join(repositoryRoot, 'packages/client-cli/bin/memclient.cjs')

watchdog(t)

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

t.test('the examples of the front page reach the store and the value of a daemon', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const [ofStore, ofValue] = examples('README.md')
  const stored = startExample(t, `${ofStore}\nconsole.log(JSON.stringify(store.get('dark-mode')))`, registry)
  t.equal(await stored.stdout.find(() => true), '{"on":true}', stored.stderr.text)
  const program = startExample(t, ofValue, registry)
  t.equal(await program.stdout.find(() => true), '43', program.stderr.text)
})

t.test('the example of a region runs by itself', async (t) => {
  const { code, stderr } = await startExample(t, exampleWith("new MemoryFile('frames'")).ending
  t.same({ code, stderr }, { code: 0, stderr: '' })
})

/** The block of the library's page with this in it. */
function exampleWith(text) {
  const found = examples('packages/shared/README.md').filter((code) => code.includes(text))
  if (found.length !== 1) throw new Error(`${found.length} examples with ${text}`)
  return found[0]
}

/** A registry, and the example of an owner that has published something at it. */
async function startOwner(t, code) {
  const registry = newRegistryPath(t)
  const host = startProgram(MEMSVC, ['registry', '--registry', registry])
  t.teardown(() => host.destroy())
  await host.stderr.find((line) => line.includes('"ready"'))
  const owner = startExample(t, `${code}\nconsole.log('published')`, registry)
  t.equal(await owner.stdout.next(), 'published', owner.stderr.text)
  return { registry, owner }
}

t.test('the service and the client of the library find each other', async (t) => {
  const { registry, owner } = await startOwner(t, exampleWith('extends IMemoryService.Stub'))
  const client = exampleWith('IMemoryService.asInterface')
  const { stdout, stderr } = await startExample(t, `${client}\nconsole.log(view.readInt32BE(0))`, registry).ending
  t.same({ stdout, stderr }, { stdout: '42', stderr: '' })
  t.equal(await owner.stdout.next(), `set to 42 by uid ${process.getuid()}`, owner.stderr.text)
})

t.test('the owner of a value and its reader find each other', async (t) => {
  const { registry } = await startOwner(t, exampleWith('new OwnedValue('))
  const reader = startExample(t, exampleWith("SharedValue.open(manager, 'example.counter')"), registry)
  t.equal(await reader.stdout.next(), '2', reader.stderr.text)
})

t.test('the owner of a store and its reader find each other', async (t) => {
  const me = String(process.getuid())
  const { registry } = await startOwner(t, exampleWith('new OwnedStore(').replace('=== 1000', `=== ${me}`))
  const show = "console.log(JSON.stringify([flags.get('dark-mode'), flags.status.state]))"
  const reader = exampleWith("SharedStore.open('flags')").replace(/for await [^;]*;/, show)
  const { stdout, stderr } = await startExample(t, reader, registry).ending
  t.same({ stdout, stderr }, { stdout: '[{"on":false},"live"]', stderr: '' })
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
