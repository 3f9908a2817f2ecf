/** The library under test, by path: the checkouts that are compared in one run have one each. */
import { existsSync } from 'node:fs'

export type SharedLibrary = typeof import('@memsvc/shared')
export type InternalLibrary = typeof import('@memsvc/shared/internal')
export type NativeLibrary = typeof import('memfd-native')

/** @param root of a checkout that is built */
export async function loadShared(root: string): Promise<SharedLibrary> {
  return (await import(entryOf(`${root}/packages/shared`))) as SharedLibrary
}

/** What the daemon and the tool have of it. */
export async function loadInternal(root: string): Promise<InternalLibrary> {
  return (await import(entryOf(`${root}/packages/shared`, 'internal'))) as InternalLibrary
}

export async function loadNative(root: string): Promise<NativeLibrary> {
  return (await import(entryOf(`${root}/packages/memfd-native`))) as NativeLibrary
}

/** As its users get it. Not every checkout bundles it. */
function entryOf(folder: string, name = 'index'): string {
  const bundle = `${folder}/dist/bundle/${name}.js`
  return existsSync(bundle) ? bundle : `${folder}/dist/src/${name}.js`
}
