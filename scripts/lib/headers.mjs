/** Finds Node's own headers, if Node was installed with them. Otherwise node-gyp would fetch them from the network. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder whose include/node has them; null when there is none. */
export function headerFolder() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : null
}
