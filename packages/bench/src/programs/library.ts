/** The library under test, by path: the checkouts that are compared in one run have one each. */
export type SharedLibrary = typeof import('@memsvc/shared')
export type NativeLibrary = typeof import('memfd-native')

/** @param root of a checkout that is built */
export async function loadShared(root: string): Promise<SharedLibrary> {
  return (await import(`${root}/packages/shared/dist/src/index.js`)) as SharedLibrary
}

export async function loadNative(root: string): Promise<NativeLibrary> {
  return (await import(`${root}/packages/memfd-native/dist/src/index.js`)) as NativeLibrary
}
