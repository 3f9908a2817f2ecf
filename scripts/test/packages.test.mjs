/** The packages as a user gets them: packed, installed without a network, a compiler or an install script, and used. */
import t from 'tap'
import { leakChecked, newRegistryPath, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { nodeChildProcess, nodeFs, nodeOs, nodePath } from './support/node.mjs'
import { tarballs as made, PREBUILT, publishedManifest, readJson, repositoryRoot } from './support/packages.mjs'

const { spawnSync } = nodeChildProcess
const { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = nodeFs
const { tmpdir } = nodeOs
const { join } = nodePath
const { copyWorkspace, npm, pack, packAll, packDependencies, PUBLISHED } = made

/** What an installation may take, of which 1.2 MiB are for the four prebuilt binaries (1,252,296 bytes; `check:packages` has them). */
const MOST_BYTES_WITHOUT_BINARIES = (6 - 1.2) * 2 ** 20
/** A list of names, and what bundlers are given in place of the parts. */
const ENTRIES_OF_SHARED = /^bundle\/(internal|module\/[\w-]+)\.js$/

watchdog(t)
leakChecked(t)

function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-packages-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Both commands in an empty folder. @returns the folder */
function install(root) {
  const tarballs = join(root, 'tarballs')
  const own = packAll(root, tarballs)
  const others = packDependencies(tarballs)
  const files = [...own, ...others].map(([name, path]) => [name, `file:${path}`])
  const folder = join(root, 'project')
  mkdirSync(folder)
  const direct = files.filter(([name]) => ['@memsvc/memory-service', '@memsvc/client-cli'].includes(name))
  const manifest = {
    private: true,
    dependencies: Object.fromEntries(direct),
    overrides: Object.fromEntries(files.filter((file) => !direct.includes(file))),
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  npm(['install', '--ignore-scripts'], folder)
  return folder
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  return { status, stdout, stderr }
}

const root = temporaryFolder(t)
copyWorkspace(root, join(repositoryRoot, 'packages/memfd-native/build/Release/memfd_native.node'))
const project = install(root)
const bin = (name) => join(project, 'node_modules/.bin', name)

t.test('an installation is small, and nothing in it wants to be built', async (t) => {
  const { packages } = readJson(project, 'package-lock.json')
  const installed = Object.entries(packages).filter(([path]) => path !== '')
  t.ok(installed.length <= 18, `${installed.length} packages`)
  t.notOk(installed.some(([, { hasInstallScript }]) => hasInstallScript))
  const modules = join(project, 'node_modules')
  const files = readdirSync(modules, { recursive: true }).filter((file) => !file.endsWith('.node'))
  const stats = files.map((file) => statSync(join(modules, file))).filter((stat) => stat.isFile())
  const bytes = stats.reduce((sum, { size }) => sum + size, 0)
  t.ok(bytes <= MOST_BYTES_WITHOUT_BINARIES, `${bytes} bytes`)
})

t.test('each package holds what it names, its licence and its page, and no tests', async (t) => {
  for (const { manifest } of PUBLISHED) {
    const folder = join(project, 'node_modules', manifest.name)
    if (!existsSync(folder)) continue
    const files = readdirSync(folder, { recursive: true }).filter((file) => !file.startsWith('node_modules'))
    for (const name of ['LICENSE', 'README.md', 'package.json']) t.ok(files.includes(name), `${manifest.name}: ${name}`)
    t.same(
      files.filter((file) => /(^|\/)(test|test-support|binding\.gyp)(\/|$)/.test(file)),
      [],
      manifest.name,
    )
    const installed = readJson(folder, 'package.json')
    const ours = ['devDependencies', 'scripts', 'private'].filter((name) => name in installed)
    t.same(ours, [], `${manifest.name}: only what a user needs`)
    for (const path of namedFiles(installed)) t.ok(existsSync(join(folder, path)), `${manifest.name}: ${path}`)
  }
})

function namedFiles({ bin = {}, main, types, exports = {} }) {
  const conditions = Object.values(exports).flatMap((entry) => Object.values(entry))
  return [...Object.values(bin), main, types, ...conditions].filter((path) => path !== undefined)
}

t.test('the types are whole, and each of them is one that a program comes to', async (t) => {
  const program = join(project, 'types.mts')
  const names = ['memfd-native', '@memsvc/shared', '@memsvc/shared/internal']
  writeFileSync(program, names.map((name, i) => `export type * as a${i} from '${name}'\n`).join(''))
  const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--skipLibCheck', 'false', '--noEmit']
  const nodes = ['--types', 'node', '--typeRoots', join(repositoryRoot, 'node_modules/@types')]
  const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = run(process.execPath, [tsc, ...options, ...nodes, '--listFiles', program], project)
  t.equal(status, 0, stdout.match(/^.*error TS.*$/m)?.[0])
  for (const name of names.slice(0, 2)) {
    const folder = join(project, 'node_modules', name)
    const shipped = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.d.ts'))
    t.ok(shipped.length > 10, name)
    t.same(
      shipped.filter((file) => !stdout.includes(join(folder, file))),
      [],
    )
  }
})

t.test('both commands say their version and help', async (t) => {
  for (const name of ['memsvc', 'memclient']) {
    const version = run(bin(name), ['--version'], project)
    t.same(version, { status: 0, stdout: `${readJson(repositoryRoot, 'lerna.json').version}\n`, stderr: '' })
    t.match(run(bin(name), ['--help'], project), { status: 0, stdout: /Usage/ })
  }
})

t.test('the installed daemon serves the installed tool and a program', async (t) => {
  const { registry } = await startDaemon(t, bin('memsvc'))
  t.match(run(bin('memclient'), ['write', '42', '--registry', registry], project), { status: 0, stderr: '' })
  t.match(run(bin('memclient'), ['read', '--registry', registry], project), { status: 0, stdout: '42\n' })
  for (const load of [
    "await import('@memsvc/shared')",
    "(await import('node:module')).createRequire(import.meta.url)('@memsvc/shared')",
  ]) {
    const program = join(project, 'program.mjs')
    writeFileSync(
      program,
      `const { ServiceManager, SharedValue } = ${load}
       const manager = await ServiceManager.connect({ path: process.argv[2] })
       console.log((await SharedValue.open(manager)).get())`,
    )
    t.match(run(process.execPath, [program, registry], project), { status: 0, stdout: '42\n', stderr: '' }, load)
  }
})

t.test('with its map each bundle names our sources in a stack', async (t) => {
  for (const { manifest } of PUBLISHED) {
    const folder = join(project, 'node_modules', manifest.name, 'dist')
    if (!existsSync(folder)) continue
    const files = readdirSync(folder, { recursive: true })
    const isList = (name) => manifest.name === '@memsvc/shared' && ENTRIES_OF_SHARED.test(name)
    const bundles = files.filter((name) => /\.c?js$/.test(name) && !isList(name))
    for (const file of bundles) t.ok(files.includes(`${file}.map`), file)
  }
  const program = join(project, 'fails.mjs')
  writeFileSync(
    program,
    `import { MemoryFile } from '@memsvc/shared'
     new MemoryFile('a', 4).writeBytes(Buffer.alloc(2), 0, 0, 9)`,
  )
  const { status, stderr } = run(process.execPath, ['--enable-source-maps', program], project)
  t.equal(status, 1)
  t.ok(stderr.split('\n').every((line) => line.length <= 500))
  const [, path, line] = stderr.match(/MemoryFile\.writeBytes .*(src\/os\/memory-file\.ts):(\d+)/)
  t.match(readFileSync(join(repositoryRoot, 'packages/shared', path), 'utf8').split('\n')[line - 1], 'checkRange(')
})

t.test('without a binary for this machine the error names it, and the command that builds one', async (t) => {
  rmSync(join(project, 'node_modules/memfd-native/prebuilds'), { recursive: true })
  for (const name of ['memsvc', 'memclient']) {
    const { status, stderr } = run(bin(name), ['list', '--registry', newRegistryPath(t)], project)
    t.equal(status, 1)
    t.match(
      stderr,
      new RegExp(`^${name}: memfd-native has no binary for linux ${process.arch} with (glibc|musl): .*\\n$`),
    )
    t.ok(existsSync(stderr.trimEnd().split(' node ').at(-1)), 'the command can be run')
  }
})

t.test('a package with a part missing is not packed', async (t) => {
  const folder = join(root, 'packages/memfd-native')
  rmSync(join(folder, PREBUILT[0]))
  t.throws(() => pack(folder, root), {
    message: /linux-x64.*is missing: npm run build:prebuilt/,
  })
  t.same(
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    readJson(repositoryRoot, 'packages/memfd-native/package.json'),
  )
})

t.test('a package that was not packed for a release cannot be published, also without scripts', async (t) => {
  const nowhere = ['--registry=http://localhost:9/', '--//localhost:9/:_authToken=none']
  const publish = () => npm(['publish', '--ignore-scripts', ...nowhere], join(root, 'packages/memfd-native'))
  t.throws(publish, { stderr: /EPRIVATE/ })
  for (const { manifest } of PUBLISHED) t.equal(manifest.private, true, manifest.name)
})

t.test('the parts of a manifest that are published', async (t) => {
  const manifest = {
    name: 'a',
    private: true,
    scripts: {},
    devDependencies: {},
    exports: { '.': 1, './test-support': 2 },
  }
  t.same(publishedManifest(manifest), { name: 'a', exports: { '.': 1 } })
  const origin = { url: 'git+https://host/owner/name.git', directory: 'packages/a' }
  t.same(publishedManifest({ name: 'a', scripts: {} }, origin), { name: 'a', repository: { type: 'git', ...origin } })
  t.same(publishedManifest(manifest, origin).repository, { type: 'git', ...origin })
})
