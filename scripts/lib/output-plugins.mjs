/**
 * Plugins for esbuild that change what a build has written. Each changes only the files of its own build: into the same folder
 * another one may be writing at that moment.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { keepLines } from './line-maps.mjs'

/** After the others: they do not change how many lines there are. */
export const LINE_MAPS = afterwards('line-maps', /\.c?js\.map$/, keepLines)

/** esbuild calls a class that speaks of itself `_Name`. It says so in stacks and to console.log; the other name is free. */
export const OWN_NAMES = afterwards('own-names', /\.c?js$/, giveOwnNames)

function giveOwnNames(path) {
  const code = readFileSync(path, 'utf8')
  const names = new Set(Array.from(code.matchAll(/\b(\w+) ?= ?class _\1\b/g), ([, name]) => name))
  writeFileSync(
    path,
    code.replace(/\b_([A-Z]\w*)\b/g, (word, name) => (names.has(name) ? name : word)),
  )
}

/** @param change is given the path of each file whose name matches. The build must have `metafile` set: it says what was written */
function afterwards(name, pattern, change) {
  return {
    name,
    setup({ initialOptions, onEnd }) {
      onEnd(({ metafile }) => {
        const files = Object.keys(metafile?.outputs ?? {}).filter((file) => pattern.test(file))
        for (const file of files) change(resolve(initialOptions.absWorkingDir ?? '.', file))
      })
    },
  }
}
