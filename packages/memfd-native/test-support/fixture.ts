/** Programs of their own for what one process cannot show: exits, signals, other users. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  status: number | null
  signal: NodeJS.Signals | null
  output: string
  errors: string
}

export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}.js`, import.meta.url))
}

/**
 * Runs a fixture to its end, with no trace of an outer tap: neither its environment, nor the module that it preloads into
 * every Node that is spawned (it writes a file when that ends, whatever became of the process meanwhile).
 */
export function runFixture(name: string, args: string[] = [], stdio: SpawnSyncOptions['stdio'] = 'pipe'): Ended {
  return runNode([fixturePath(name), ...args], stdio)
}

/** The package, for programs that are given as text. */
export const indexUrl = new URL('../src/index.js', import.meta.url).href

/** Runs the text of a module, to which the package is `native`, to its end. */
export function runScript(text: string, options: string[] = []): Ended {
  const module = `import * as native from '${indexUrl}'\n${text}`
  return runNode([...options, '--input-type=module', '--eval', module])
}

export function runNode(args: string[], stdio: SpawnSyncOptions['stdio'] = 'pipe', cwd?: string): Ended {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
  const command = ['-u', 'NODE_OPTIONS', process.execPath, ...args]
  const { status, signal, stdout, stderr } = spawnSync('env', command, { cwd, encoding: 'utf8', env, stdio })
  return { status, signal, output: String(stdout), errors: String(stderr) }
}
