/**
 * Builds the addon for this machine where no prebuilt one fits: `node build-addon.mjs`, in the installed package. Needs npm with
 * its registry, g++ with C++20, make and python3. What it needs besides is fetched into a temporary folder: Node's headers too, from
 * nodejs.org, where Node was installed without them.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const PRODUCT = 'build/Release/memfd_native.node'
const TOOLS = ['node-gyp@12', 'node-addon-api@8']

function run(command, args, cwd) {
  execFileSync(command, args, { cwd, stdio: 'inherit' })
}

/** Node's own headers, if it was installed with them. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

const folder = mkdtempSync(join(tmpdir(), 'memfd-native-'))
try {
  cpSync(join(import.meta.dirname, 'native'), join(folder, 'native'), { recursive: true })
  writeFileSync(join(folder, 'binding.gyp'), JSON.stringify({ includes: ['native/addon.gypi'] }))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...TOOLS], folder)
  run(
    process.execPath,
    [join(folder, 'node_modules/node-gyp/bin/node-gyp.js'), 'rebuild', '--jobs', 'max', ...headers()],
    folder,
  )
  mkdirSync(join(import.meta.dirname, 'build/Release'), { recursive: true })
  cpSync(join(folder, PRODUCT), join(import.meta.dirname, PRODUCT))
  console.log(`memfd-native: built ${join(import.meta.dirname, PRODUCT)}`)
} catch (error) {
  console.error(`memfd-native: not built: ${error.message}`) // what failed has said why
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
