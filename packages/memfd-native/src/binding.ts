/** Loads the addon once per thread and types its surface; `unwrap` is the one place where an errno becomes an error. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SyscallError } from './syscall-error.ts'

/** Every function answers a result >= 0 or a negative errno; wrong argument types throw TypeError. */
export interface NativeBinding {
  close(fd: number): number
}

const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
const load = createRequire(import.meta.url)('node-gyp-build') as (folder: string) => NativeBinding

export const native: NativeBinding = load(packageRoot)

/** Passes a result on, or throws the errno that it stands for. */
export function unwrap(syscall: string, result: number, detail?: string): number {
  if (result < 0) throw new SyscallError(syscall, result, detail)
  return result
}
