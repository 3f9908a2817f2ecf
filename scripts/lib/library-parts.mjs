/** Defines which parts the bundle of @memsvc/shared has, and how one part reaches what is in another. For esbuild. */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * By part: which modules of `packages/shared/src` it begins with. It has what those import too, if no part before it has. Only what a
 * program asks for by itself may be here: a part is read from disk, and what others cause, or a failure, may come when no file can be opened.
 */
export const LATE = {
  memory: [
    'os/ashmem.ts',
    'os/auto-close-streams.ts',
    'os/memory-file-streams.ts',
    'os/purging.ts',
    'os/shared-memory.ts',
  ],
  reader: ['store/shared-store.ts', 'store/store-interface.ts', 'value/value-changes.ts'],
  owner: ['quota/admission.ts', 'quota/ledger.ts', 'store/owned-store.ts', 'value/owned-value.ts'],
  internal: ['internal.ts'],
}
/** What every program loads. */
export const FIRST = 'library'
export const PARTS = [FIRST, ...Object.keys(LATE)]

/** Numbers and texts have none: whoever needs one of those early finds it missing when this is built. */
const PUBLISHED = /^export (?:async )?(class|function|const) (\w+)(?! = [-\d'"])/gm
const STAND_INS = { class: 'lateClass', function: 'lateFunction', const: 'lateObject' }

/**
 * @param part the one that is bundled
 * @param root the folder of the sources
 * @param members by module: its part, of the parts before
 * @param used what this part uses of those: `{ module, name, key }`. Without it they stay imports, of `given:MODULE`
 */
export function otherParts({ part, root, members, used }) {
  const number = PARTS.indexOf(part)
  return {
    name: 'other-parts',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        const module = relative(root, join(resolveDir, path))
        if (PARTS.indexOf(lateIn(module)) > number) return { path: module, namespace: 'late', sideEffects: false }
        if (!(PARTS.indexOf(members.get(module) ?? part) < number)) return undefined
        if (used === undefined) return { path: `given:${module}`, external: true }
        return { path: module, namespace: 'given', sideEffects: false }
      })
      onLoad({ filter: /./, namespace: 'late' }, ({ path }) => ({ contents: standIns(root, path), resolveDir: root }))
      onLoad({ filter: /./, namespace: 'given' }, ({ path }) => {
        const names = used.filter(({ module }) => module === path)
        const lines = names.map(({ name, key }) => `export const ${name} = given.${key}`)
        return { contents: [`const given = part('${members.get(path)}')`, ...lines].join('\n') }
      })
    },
  }
}

function lateIn(module) {
  return Object.keys(LATE).find((part) => LATE[part].includes(module))
}

function standIns(root, module) {
  const text = readFileSync(join(root, module), 'utf8')
  const exported = text.matchAll(PUBLISHED)
  const lines = Array.from(
    exported,
    ([, kind, name]) => `export const ${name} = /* @__PURE__ */ ${STAND_INS[kind]}('${lateIn(module)}', '${name}')`,
  )
  return [`import { ${Object.values(STAND_INS).join(', ')} } from './parts.ts'`, ...lines].join('\n')
}
