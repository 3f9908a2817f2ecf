/**
 * The sources as they are in the bundles that are tried first: without what only matters to a program that runs on. A quick attempt closes
 * what it opens, hands no object to anybody, and shows no error: it declines.
 */
import { withFolders } from './bundled-sources.mjs'

/** What stands in for a module, by the end of its path. */
export const STAND_INS = {
  'memfd-native/src/area-feed.ts': 'export class AreaFeed {}',
  'memfd-native/src/async-context.ts': `
    export const captureContext = () => null
    export const inNoContext = (act) => act()
    export const inThisContext = (_name, callback) => callback`,
  'memfd-native/src/introduction.ts': `
    export const inspected = Symbol.for('nodejs.util.inspect.custom')
    export const introduce = String
    export const keepFromCloning = () => {}`,
  'memfd-native/src/leak-detector.ts': `
    export class LeakDetector {
      watch() {}
      forget() {}
    }`,
  'memfd-native/src/mapping.ts': `
    import { native, unwrap } from './binding.ts'
    import { fdNumber } from './owned-fd.ts'
    export const Mapping = {
      map(fd, length, prot, flags) {
        const handle = unwrap('mmap', native.mapMemory(fdNumber(fd), length, prot, flags, 0))
        return { readInt32BE: (at) => native.readInt32BE(handle, at), unmap: () => native.unmapMemory(handle) }
      },
    }`,
  'memfd-native/src/mmap.ts': 'export const mmap = { PROT_READ: 1, MAP_SHARED: 1 }',
  'shared/src/util/calling-method.ts': 'export const inMethod = (message) => message',
}

/** The name of a class of errors: as long as something is done for it, no class can be left out. */
const NAMING = / {2}static \{\n {4}named\(this\.prototype, '\w+'\)\n {2}\}\n/g

/** For bundledSources(). */
export function quickSources(text, path) {
  const [, standIn] = Object.entries(STAND_INS).find(([end]) => path.endsWith(`/packages/${end}`)) ?? []
  if (standIn !== undefined) return standIn
  return withFolders(path.endsWith('/shared/src/util/errors.ts') ? text.replace(NAMING, '\n\n\n') : text, path)
}
