/** Finds the type files that a package ships: those that its exports lead to. */
import { posix } from 'node:path'
import { findImports } from './imports.mjs'
import { listFiles, readText } from './workspace.mjs'

/** The others, relative to `dist/src`, where the types are. */
export function hiddenTypes(folder, { exports = {} }) {
  const left = new Set(listFiles(folder, TYPES).filter((file) => file.endsWith('.d.ts')))
  const visit = (file) => {
    if (!left.delete(file)) return
    const own = findImports(readText(folder, file)).filter(({ specifier }) => specifier.startsWith('.'))
    for (const { specifier } of own) visit(posix.join(posix.dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts')))
  }
  for (const { types } of Object.values(exports)) visit(posix.normalize(types))
  return [...left].map((file) => posix.relative(TYPES, file))
}

const TYPES = 'dist/src'
/** What npm leaves out of that folder. */
export const HIDING = `${TYPES}/.npmignore`
