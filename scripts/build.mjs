/**
 * Builds what has changed: the addon with node-gyp, all packages with `tsc -b`, and the bundles of their sources. With
 * `--to-run` it builds only what is needed to run memsvc: no output of `tsc`, no types and no tests.
 */
import { join } from 'node:path'
import { bundleCommands, bundlePackages, bundlePage } from './lib/bundle.mjs'
import { writeCodeCache } from './lib/code-cache.mjs'
import { headerFolder } from './lib/headers.mjs'
import { writeManPages } from './lib/man.mjs'
import { localBin, runAtLength } from './lib/run.mjs'
import { installIsDue, nativeBuildIsDue, removeStaleOutput, toolsAreMissing } from './lib/stale.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

async function buildNative() {
  if (!nativeBuildIsDue(repositoryRoot)) return true
  const headers = headerFolder()
  const options = headers === null ? [] : [`--nodedir=${headers}`]
  const args = ['rebuild', '--jobs', 'max', ...options, '--', '-Dmemfd_native_tests=1']
  const cwd = join(repositoryRoot, 'packages/memfd-native')
  return runAtLength('build: memfd-native', localBin('node-gyp'), args, { cwd, isQuiet: true })
}

function compile() {
  return runAtLength('build: packages', localBin('tsc'), ['-b'])
}

async function bundle() {
  console.log('build: bundles')
  await bundlePackages(repositoryRoot)
  await bundlePage(repositoryRoot)
  return bundleCommands(repositoryRoot)
}

/** By running what was built. */
async function finish(commands) {
  console.log('build: compiled code and man pages')
  await writeCodeCache(repositoryRoot, commands)
  writeManPages(repositoryRoot)
}

/** A dependency is new since the last install, or only what runs was installed: whoever builds by hand need not know. */
function installWhatIsNew() {
  const isDue = installIsDue(repositoryRoot)
  if (!isDue && (isToRun || !toolsAreMissing(repositoryRoot))) return true
  const env = { ...process.env, npm_config_nodedir: headerFolder() ?? '' }
  const reason = isDue ? 'because package-lock.json has changed' : 'for the tools that only developing needs'
  const args = ['install', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund']
  return runAtLength(`build: npm install, ${reason}`, 'npm', args, { env })
}

const isToRun = process.argv.includes('--to-run')
if (!(await installWhatIsNew())) process.exit(1)
removeStaleOutput(repositoryRoot)
const [commands, ...built] = await Promise.all([bundle(), buildNative(), isToRun || compile()])
if (built.every(Boolean)) await finish(commands)
else process.exitCode = 1
