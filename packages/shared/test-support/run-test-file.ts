import { spawnSync } from 'node:child_process'

/** Runs a tap file alone, as a process that knows nothing of an outer tap, and waits for its end. */
export function runTestFile(path: string): { exitCode: number | null; output: string; errors: string } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], { encoding: 'utf8', env })
  return { exitCode: status, output: stdout, errors: stderr }
}
