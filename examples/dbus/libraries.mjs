/** dbus-native and dbus-next, fetched into `.tools` of this checkout the first time; in a project of yours they are dependencies. */
import { existsSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchTool } from '../../scripts/lib/tools.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** The first that takes descriptors, and runs on Node.js 20. */
const DBUS_NATIVE = 'dbus-native@0.13.0'
const DBUS_NEXT = 'dbus-next@0.10.2'

export function loadLibraries() {
  const require = createRequire(import.meta.url)
  const dbusNative = require(fetchTool(root, DBUS_NATIVE))
  const nextFolder = fetchTool(root, DBUS_NEXT, ['--omit=optional'])
  // What `overrides` in a package.json does.
  const usocket = join(dirname(nextFolder), 'usocket')
  if (!existsSync(usocket)) symlinkSync(join(root, 'packages/memfd-native'), usocket)
  return { dbusNative, dbusNext: require(nextFolder) }
}
