/** Compiles C++ of this package for a test. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
const FLAGS = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-Werror', '-fno-exceptions']

/** Whether there is such a command. */
export function isThere(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0
}

/** Throws what the compiler said when it failed. `source` is a path below the package. */
export function compile(compiler: string, source: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(compiler, [...FLAGS, ...args, source], { cwd: PACKAGE, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${compiler} ${source}: ${stderr}`)
}
