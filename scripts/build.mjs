/** Builds what changed: the addon by node-gyp, then all packages by `tsc -b`, then the tool's bundle. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundleMemclient } from './lib/bundle.mjs'
import { localBin, run, runQuietly } from './lib/run.mjs'
import { nativeBuildIsDue, removeStaleOutput } from './lib/stale.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

/** Node's own headers where it was installed with them: node-gyp would fetch them from the network. */
function headerOption() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

function buildNative() {
  if (!nativeBuildIsDue(repositoryRoot)) return true
  console.log('build: compiling memfd-native')
  return runQuietly(localBin('node-gyp'), ['rebuild', ...headerOption()], join(repositoryRoot, 'packages/memfd-native'))
}

removeStaleOutput(repositoryRoot)
if (buildNative() && run(localBin('tsc'), ['-b'])) await bundleMemclient(repositoryRoot)
else process.exitCode = 1
