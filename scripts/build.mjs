/** Builds what changed: the addon by node-gyp, then all packages by `tsc -b`, then what is bundled of them. */
import { join } from 'node:path'
import { bundleCommands, bundlePackages, bundlePage } from './lib/bundle.mjs'
import { writeCodeCache } from './lib/code-cache.mjs'
import { headerFolder } from './lib/headers.mjs'
import { writeManPages } from './lib/man.mjs'
import { localBin, run, runQuietly } from './lib/run.mjs'
import { installIsDue, nativeBuildIsDue, removeStaleOutput } from './lib/stale.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

function buildNative() {
  if (!nativeBuildIsDue(repositoryRoot)) return true
  console.log('build: compiling memfd-native')
  const headers = headerFolder()
  const options = headers === null ? [] : [`--nodedir=${headers}`]
  const args = ['rebuild', ...options, '--', '-Dmemfd_native_tests=1']
  return runQuietly(localBin('node-gyp'), args, { cwd: join(repositoryRoot, 'packages/memfd-native') })
}

async function bundle() {
  await bundlePackages(repositoryRoot)
  await bundlePage(repositoryRoot)
  await writeCodeCache(repositoryRoot, await bundleCommands(repositoryRoot))
  writeManPages(repositoryRoot)
}

/** A dependency is new since the last install: whoever builds by hand need not know. */
function installWhatIsNew() {
  if (!installIsDue(repositoryRoot)) return true
  console.log('build: npm install, because package-lock.json has changed')
  return run('npm', ['install', '--no-audit', '--no-fund'], {
    ...process.env,
    npm_config_nodedir: headerFolder() ?? '',
  })
}

if (!installWhatIsNew()) process.exit(1)
removeStaleOutput(repositoryRoot)
if (buildNative() && run(localBin('tsc'), ['-b'])) await bundle()
else process.exitCode = 1
