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

/** Runs a fixture to its end, with no trace of an outer tap in its environment. */
export function runFixture(name: string, args: string[] = [], stdio: SpawnSyncOptions['stdio'] = 'pipe'): Ended {
  return runNode([fixturePath(name), ...args], stdio)
}

export function runNode(args: string[], stdio: SpawnSyncOptions['stdio'] = 'pipe'): Ended {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env, stdio })
  return { status, signal, output: String(stdout), errors: String(stderr) }
}
