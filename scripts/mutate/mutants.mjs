/** Lists all mutants of the packages, in the order of a draw. */
import { createHash } from 'node:crypto'
import { listFiles, readText } from '../lib/workspace.mjs'
import { mutateCpp } from './cpp.mjs'
import { mutateTypeScript } from './typescript.mjs'

const FOLDERS = [
  'packages/memfd-native/native',
  'packages/memfd-native/src',
  'packages/shared/src',
  'packages/memory-service/src',
  'packages/client-cli/src',
]

/** `{ file, kind, start, end, replacement, key, line, was }` of all that could be taken out, by file and place. */
export function listMutants(root) {
  return FOLDERS.flatMap((folder) => listFiles(root, folder)).flatMap((file) => mutantsOf(root, file))
}

/** The first ones of a draw. A mutant's place in it depends on its own text, so code that moves leaves the draw as it was. */
export function draw(mutants, seed) {
  const ranked = mutants.map((mutant) => ({ mutant, rank: hash(String(seed), mutant.key) }))
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ mutant }) => mutant)
}

export function hash(...parts) {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
}

function mutantsOf(root, file) {
  const text = readText(root, file)
  const mutate = file.endsWith('.ts') ? mutateTypeScript : mutateCpp
  const seen = new Map()
  return mutate(file, text).map(({ context, ...mutant }) => {
    const was = text.slice(mutant.start, mutant.end)
    const name = hash(file, mutant.kind, was, mutant.replacement, context)
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return { file, ...mutant, was, line: lineOf(text, mutant.start), key: times === 1 ? name : `${name}-${times}` }
  })
}

function lineOf(text, offset) {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}
