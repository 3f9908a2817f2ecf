/**
 * Prepares a checkout for development: compiler, dependencies, build. With `--to-run` it prepares only what is needed to run
 * memsvc, without development tools and types. It does only what is missing, so `npm test` and `npm start` begin with it
 * every time. It needs Node.js, npm, and the first time also the network.
 */
import { headerFolder } from './lib/headers.mjs'
import { isOnPath, run, runAtLength } from './lib/run.mjs'
import { installIsDue, nativeBuildIsDue, toolsAreMissing } from './lib/stale.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

/** Command to Debian package. */
const TOOLS = { [process.env.CXX ?? 'g++']: 'g++', make: 'make', python3: 'python3' }

function fail(message) {
  console.error(`setup: ${message}`)
  process.exit(1)
}

function requirePlatform() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isSupported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
  if (!isSupported) fail(`Node.js ${process.versions.node} is too old: 20.19 or 22.12 and later are needed`)
  if (process.platform !== 'linux') fail(`memsvc is made of Linux system calls; this is ${process.platform}`)
}

function requireTools() {
  const missing = Object.keys(TOOLS).filter((command) => !isOnPath(command))
  if (missing.length === 0) return
  const install = ['install', '-y', '--no-install-recommends', ...missing.map((command) => TOOLS[command])]
  if (process.getuid() !== 0 || !isOnPath('apt-get')) {
    fail(`${missing.join(', ')} missing. On Debian and Ubuntu: sudo apt-get ${install.join(' ')}`)
  }
  console.log(`setup: installing ${missing.join(', ')}`)
  if (!run('apt-get', ['update', '-q']) || !run('apt-get', install)) fail('apt-get failed')
}

async function install({ withTools }) {
  const headers = headerFolder()
  const env = headers === null ? process.env : { ...process.env, npm_config_nodedir: headers }
  const args = ['ci', withTools ? '--include=dev' : '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund']
  if (!(await runAtLength('setup: npm ci', 'npm', args, { env }))) fail('npm ci failed')
}

requirePlatform()
const options = process.argv.slice(2)
const isToRun = options.includes('--to-run')
const hasNoTools = toolsAreMissing(repositoryRoot)
const isInstallDue = installIsDue(repositoryRoot) || (hasNoTools && !isToRun)
if (isInstallDue || nativeBuildIsDue(repositoryRoot)) requireTools()
if (isInstallDue) await install({ withTools: !(isToRun && hasNoTools) })
if (!run(process.execPath, ['scripts/build.mjs', ...options])) fail('the build failed')
