/**
 * Bun and Deno have no libuv that polls: there a thread of our own does. The tests of what is polled pass with it too, and here in
 * Node.js, which says for them that it is Deno. In those two runtimes themselves: `npm run check:runtimes`.
 */
import t from 'tap'
import { fixturePath, nodePath, nodeUrl } from '../test-support/index.ts'

const { dirname, join } = nodePath
const TESTS = ['fd-watcher', 'hub', 'hub-groups', 'hub-listener', 'hub-take-in', 'leaks', 'worker-threads']

const folder = dirname(nodeUrl.fileURLToPath(import.meta.url))
const OTHER_RUNTIME = ['--import', nodeUrl.pathToFileURL(fixturePath('other-runtime')).href]

for (const name of TESTS) t.spawn(process.execPath, [...OTHER_RUNTIME, join(folder, `${name}.js`)], name)
