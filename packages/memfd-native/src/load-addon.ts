/**
 * Finds the addon: the one that MEMFD_NATIVE_ADDON names, the one that was built here, or the prebuilt one for this
 * machine.
 */
import { Buffer } from 'node:buffer'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'

/** What a binary must match. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  readonly libc: 'glibc' | 'musl'
}

/**
 * Called once per thread.
 * @param packageRoot the folder of memfd-native
 * @returns the exports of the addon
 * @throws Error ERR_UNSUPPORTED_OPERATION if there is none for this machine, or if it cannot be loaded here; the message says
 *   where it looked, and how to build one
 * @throws Error ERR_DLOPEN_DISABLED if this Node.js may not load addons
 */
export function loadAddon(packageRoot: string): unknown {
  const addon = { exports: {} }
  const path = findAddon(packageRoot)
  try {
    process.dlopen(addon, path) // what require() does with a path
  } catch (error) {
    throw isForbidden(error) ? forbidden(error) : unusable(packageRoot, path, error)
  }
  return addon.exports
}

function isForbidden(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_DISABLED'
}

function forbidden(cause: Error & { code: string }): Error {
  const advice = 'memfd-native is one: with --permission it needs --allow-addons, and --no-addons forbids it'
  return Object.assign(new Error(`${cause.message} ${advice}`, { cause }), { code: cause.code })
}

/** The error for a binary that was built for another machine (if two machines share a folder), or that is damaged. */
function unusable(packageRoot: string, path: string, cause: unknown): Error {
  const { platform, arch, libc } = thisMachine()
  const why = cause instanceof Error ? cause.message : String(cause)
  const message =
    `memfd-native cannot load ${path} on ${platform} ${arch} with ${libc}: ${why}; ${howToBuild(packageRoot)}, ` +
    'or set MEMFD_NATIVE_ADDON to the path of one that fits'
  return Object.assign(new Error(message, { cause }), { code: 'ERR_UNSUPPORTED_OPERATION' })
}

function howToBuild(packageRoot: string): string {
  return `to build it here (with npm, g++, make and python3): node ${join(packageRoot, 'build-addon.mjs')}`
}

/**
 * The folder of this package: the parent of its module, or, inside a bundle, where Node.js finds the package from
 * there.
 * @param folder of the module; undefined if the bundler does not provide it
 */
export function packageRoot(folder: string | undefined): string {
  const own = join(folder ?? process.cwd(), '../..')
  if (folder !== undefined && existsSync(join(own, 'build-addon.mjs'))) return own
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    const program = join(folder ?? dirname(process.argv[1] ?? process.cwd()), 'program.js')
    return join(dirname(createRequire(program).resolve('memfd-native')), '../..')
  } catch {
    return own
  }
}

/**
 * The path of the addon.
 * @param machine called only if nothing was built here
 * @throws as loadAddon
 */
export function findAddon(packageRoot: string, machine = thisMachine): string {
  const { MEMFD_NATIVE_ADDON: told } = process.env
  if (told !== undefined && told !== '') return told
  const built = join(packageRoot, 'build/Release/memfd_native.node')
  if (existsSync(built)) return built
  const { platform, arch, libc } = machine()
  const prebuilt = join(packageRoot, 'prebuilds', `linux-${arch}`, `memfd-native.${libc}.node`)
  if (platform === 'linux' && existsSync(prebuilt)) return prebuilt
  const message =
    `memfd-native has no binary for ${platform} ${arch} with ${libc}: looked for ${built} and ${prebuilt}; ` +
    howToBuild(packageRoot)
  throw Object.assign(new Error(message), { code: 'ERR_UNSUPPORTED_OPERATION' })
}

function thisMachine(): Machine {
  const { platform, arch } = process
  return { platform, arch, libc: hasMusl(arch) ? libcOf(headOf('/proc/self/exe')) : 'glibc' }
}

/** Whether musl is installed. This Node.js may use glibc nevertheless, if both are installed. */
function hasMusl(arch: string): boolean {
  const names: Partial<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }
  return existsSync(`/lib/ld-musl-${names[arch] ?? arch}.so.1`)
}

/**
 * @param head the first bytes of the running program, which have the path of its loader (elf(5)). If they do not, Node.js
 *   is asked, which takes long
 */
export function libcOf(head: string): 'glibc' | 'musl' {
  if (head.includes('/ld-linux-')) return 'glibc'
  if (head.includes('/ld-musl-')) return 'musl'
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

const HEAD_BYTES = 4096

/** The first bytes of a file; empty if it cannot be read. */
function headOf(path: string): string {
  try {
    const fd = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(HEAD_BYTES)
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, HEAD_BYTES, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}
