/** Copies the packages into another folder and builds the addon there with sanitizers. The ordinary build stays as it is. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { headerFolder } from '../lib/headers.mjs'
import { localBin, runQuietly } from '../lib/run.mjs'
import { repositoryRoot } from '../lib/workspace.mjs'

/** memsvc too: tests of shared start it, and then it is the instrumented one. */
const PACKAGES = {
  'packages/memfd-native': 'memfd-native',
  'packages/shared': '@memsvc/shared',
  'packages/memory-service': '@memsvc/memory-service',
  'packages/client-cli': '@memsvc/client-cli',
}

const FLAGS = [
  '-fsanitize=address,undefined',
  '-fno-sanitize=vptr', // Node has no RTTI of its classes
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  '-g1',
  '-O1',
].join(' ')

/** The library that must be loaded before everything else; null when g++ has none. */
export function findRuntime() {
  const path = spawnSync(compiler(), ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout?.trim()
  return path?.startsWith('/') && existsSync(path) ? path : null // only a name: not found
}

function compiler() {
  return process.env.CXX ?? 'g++'
}

/** What is built of them is copied, but for the addon; what was built of that here before stays. */
export function copyPackages(folder) {
  for (const path of Object.keys(PACKAGES)) {
    const copy = join(folder, path)
    mkdirSync(copy, { recursive: true })
    for (const name of readdirSync(copy)) if (name !== 'build') rmSync(join(copy, name), { recursive: true })
    const filter = (path) => !['build', 'prebuilds', 'node_modules'].includes(basename(path))
    cpSync(join(repositoryRoot, path), copy, { recursive: true, preserveTimestamps: true, filter })
  }
  linkPackages(folder)
}

function linkPackages(folder) {
  const docs = join(folder, 'docs') // of which tests read tables
  rmSync(docs, { force: true })
  symlinkSync(join(repositoryRoot, 'docs'), docs)
  const modules = join(folder, 'node_modules')
  rmSync(modules, { recursive: true, force: true })
  for (const [path, name] of Object.entries(PACKAGES)) {
    mkdirSync(join(modules, name, '..'), { recursive: true })
    symlinkSync(join(folder, path), join(modules, name))
  }
  mkdirSync(join(modules, '.bin'))
  symlinkSync(join(folder, 'packages/memory-service/bin/memsvc.js'), join(modules, '.bin/memsvc'))
}

/** Builds what has changed. True if all went well. */
export function buildAddon(folder) {
  const headers = headerFolder()
  const nodeDir = headers === null ? [] : [`--nodedir=${headers}`]
  const options = {
    cwd: join(folder, 'packages/memfd-native'),
    env: { ...process.env, CXXFLAGS: FLAGS, LDFLAGS: FLAGS },
  }
  const gyp = (...args) => runQuietly(localBin('node-gyp'), args, options)
  return gyp('configure', ...nodeDir, '--', '-Dmemfd_native_tests=1') && gyp('build', '--jobs', '2', ...nodeDir)
}
