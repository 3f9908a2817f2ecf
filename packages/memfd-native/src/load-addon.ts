/** Finds the addon: what was built here, or else the prebuilt one for this machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Once per thread.
 * @param packageRoot where memfd-native lies
 * @returns what the addon exports
 * @throws Error ERR_UNSUPPORTED_OPERATION there is none for this machine: the message says what was looked for, and how to
 *   build one
 */
export function loadAddon(packageRoot: string): unknown {
  const path = findAddon(packageRoot)
  const addon = { exports: {} }
  process.dlopen(addon, path) // what require() does, without looking for it
  return addon.exports
}

/** Where it is. @throws as loadAddon */
export function findAddon(packageRoot: string): string {
  const built = join(packageRoot, 'build/Release/memfd_native.node')
  if (existsSync(built)) return built
  const libc = findLibc()
  const prebuilt = join(packageRoot, 'prebuilds', `linux-${process.arch}`, `memfd-native.${libc}.node`)
  if (process.platform === 'linux' && existsSync(prebuilt)) return prebuilt
  const message =
    `memfd-native has no binary for ${process.platform} ${process.arch} with ${libc}: looked for ${built} and ${prebuilt}; ` +
    `to build it here (with npm, g++, make and python3): node ${join(packageRoot, 'build-addon.mjs')}`
  throw Object.assign(new Error(message), { code: 'ERR_UNSUPPORTED_OPERATION' })
}

/** Which C library this Node.js runs on. The report takes milliseconds: it is asked only where musl is installed at all. */
function findLibc(): 'glibc' | 'musl' {
  const loaders: Partial<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }
  if (!existsSync(`/lib/ld-musl-${loaders[process.arch] ?? process.arch}.so.1`)) return 'glibc'
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}
