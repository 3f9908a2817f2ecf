/** Defines which parts the bundle of @memsvc/shared has, and how one part reaches what is in another. For esbuild. */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * What index.js begins with. The clock and the timers are taken when a program imports the library: it may replace them before it uses
 * anything (fake timers in tests).
 */
export const AT_ONCE = ['index.ts', 'parts.ts', 'util/timers.ts']
/**
 * By part: which modules of `packages/shared/src` it begins with. It has what those import too, if no part before it has. Only what a
 * program asks for by itself may be here: a part is read from disk, and what others cause, or a failure, may come when no file can be opened.
 */
export const LATE = {
  core: [
    'binder/binder.ts',
    'binder/binder-proxy.ts',
    'binder/interface.ts',
    'binder/parcel-types.ts',
    'binder/with-options.ts',
    'interfaces/memory-service.ts',
    'interfaces/watch.ts',
    'os/file-descriptor.ts',
    'os/memory-file.ts',
    'os/parcel-file-descriptor.ts',
    'parcel/parcel.ts',
    'service-manager/service-manager.ts',
    'value/shared-value.ts',
  ],
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
/** What every program loads: index.js. */
export const FIRST = 'library'
export const PARTS = [FIRST, ...Object.keys(LATE)]

const PUBLISHED = /^export (?:async )?(class|function|const) (\w+)(?! = [-\d'"])/gm
/** Needs no stand-in. */
const LITERAL = /^export const \w+ = (?:'[^']*'|-?[\d_]+)$/gm
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
  const part = lateIn(module)
  const exported = Array.from(text.matchAll(PUBLISHED), ([, kind, name]) => ({ kind, name }))
  const lines = exported.map(({ kind, name }) => `export let ${name} = ${STAND_INS[kind]}('${part}', '${name}')`)
  const names = exported.map(({ name }) => name)
  return [
    `import { ${Object.values(STAND_INS).join(', ')}, onceLoaded } from './parts.ts'`,
    ...lines,
    ...Array.from(text.matchAll(LITERAL), ([line]) => line),
    `onceLoaded('${part}', (part) => { ({ ${names.join(', ')} } = part) })`,
  ].join('\n')
}
