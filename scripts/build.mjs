/** Builds what changed: the addon by node-gyp, then all packages by `tsc -b`, then what is bundled of them. */
import { join } from 'node:path'
import { bundleCommands, bundlePackages, bundlePage } from './lib/bundle.mjs'
import { writeCodeCache } from './lib/code-cache.mjs'
import { headerFolder } from './lib/headers.mjs'
import { writeManPages } from './lib/man.mjs'
import { localBin, runAtLength } from './lib/run.mjs'
import { installIsDue, nativeBuildIsDue, removeStaleOutput } from './lib/stale.mjs'
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
  await writeCodeCache(repositoryRoot, await bundleCommands(repositoryRoot))
  writeManPages(repositoryRoot)
}

/** A dependency is new since the last install: whoever builds by hand need not know. */
function installWhatIsNew() {
  if (!installIsDue(repositoryRoot)) return true
  const env = { ...process.env, npm_config_nodedir: headerFolder() ?? '' }
  const title = 'build: npm install, because package-lock.json has changed'
  return runAtLength(title, 'npm', ['install', '--no-audit', '--no-fund'], { env })
}

if (!(await installWhatIsNew())) process.exit(1)
removeStaleOutput(repositoryRoot)
const built = await Promise.all([buildNative(), compile()])
if (built.every(Boolean)) await bundle()
else process.exitCode = 1
