/**
 * The bundle of @memsvc/shared, in parts (docs/decisions/0019, 0020): `index.js` has the errors. The rest is in parts of its own; index.js
 * has stand-ins for it, which load the part when they are first used (packages/shared/src/parts.ts).
 *
 * A part is a function of the parts before it, in CommonJS, which Node.js and each test runner load at once. For bundlers the same is
 * in `module/`, as ES modules.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, transform } from 'esbuild'
import { AT_ONCE, FIRST, LATE, otherParts, PARTS } from './library-parts.mjs'

/** What parts are given of index.js beside what they import of its modules. */
const GIVEN = ['memfdNative', 'libraryFolder', 'libraryBuild']
/** What index.js exports, and has the parts as a property: see parts.ts. */
const SHOWS_PARTS = 'errorCode'
/** webpack understands calls of what createRequire makes, and puts nothing in place of the function itself. */
const BUILTIN = "requireBuiltin: (name) => requireBuiltin('node:process').getBuiltinModule(name)"

/** Ahead of index.js. */
const native = (hash) => `
import * as memfdNative from 'memfd-native'
const libraryFolder = import.meta.dirname
const libraryBuild = '${hash}'`
/** Ahead of the others. V8 compiles a function in parentheses at once; else it would read it twice. */
const begin = (hash) => `'use strict'; module.exports = (function (part) {
const { ${GIVEN.join(', ')}, requireBuiltin } = part('${FIRST}')
if (libraryBuild !== '${hash}') throw new Error('@memsvc/shared was installed anew while this program runs: it must be started again')`

/** @param common esbuild's options for all bundles; plugins and banner are added to */
export async function bundleLibrary(repositoryRoot, common) {
  const root = join(repositoryRoot, 'packages/shared/src')
  const natives = await namesOf(join(repositoryRoot, 'packages/memfd-native/src/index.ts'))
  const kit = { root, common, natives, members: new Map() }
  for (const part of PARTS) await addMembers(part, kit)
  const codes = new Map()
  for (const part of PARTS) codes.set(part, await codeOf(part, kit))
  const used = new Map(Array.from(codes, ([part, code]) => [part, usedBy(code)]))
  giveKeys([...used.values()].flat())
  const hash = createHash('sha256')
    .update(JSON.stringify([...codes.values()]))
    .digest('hex')
    .slice(0, 12)
  mkdirSync(join(root, '../dist/bundle/module'), { recursive: true })
  for (const part of PARTS) await writePart(part, { ...kit, used, hash })
  await writeEntries(root)
}

/** Each module is in the first part that needs it. */
async function addMembers(part, kit) {
  const { metafile } = await bundlePart(part, kit, { contents: exportsOf(part) })
  const modules = Object.keys(metafile.inputs).filter((path) => !/^\.\.|:/.test(path))
  for (const module of modules) kit.members.set(module, part)
}

/** With what it needs of other parts imported, each from `given:MODULE`. */
async function codeOf(part, kit) {
  const { outputFiles } = await bundlePart(part, kit, { contents: exportsOf(part) })
  return outputFiles.find(({ path }) => /\.c?js$/.test(path)).text
}

/** What a part uses of those before, each `{ module, name }`. */
function usedBy(code) {
  const imports = Array.from(code.matchAll(/^import \{([^}]*)\} from "given:(.*)";$/gm))
  const names = imports.flatMap(([, list, module]) =>
    Array.from(list.matchAll(/(\w+)(?: as \w+)?/g), ([, name]) => `${module} ${name}`),
  )
  return Array.from(new Set(names), (each) => ({ module: each.split(' ')[0], name: each.split(' ')[1] }))
}

/** What each is called among parts: its name, and of several of one name also a number. */
function giveKeys(used) {
  const modulesOf = new Map()
  for (const each of used) {
    const modules = modulesOf.get(each.name) ?? []
    modulesOf.set(each.name, modules)
    if (!modules.includes(each.module)) modules.push(each.module)
    const number = modules.indexOf(each.module)
    each.key = number === 0 ? each.name : `${each.name}$${number}`
  }
}

async function writePart(part, kit) {
  await bundlePart(part, kit, { contents: entryOf(part, kit), used: kit.used.get(part) })
  if (part === FIRST) return
  const file = join(kit.root, `../dist/bundle/${part}.cjs`)
  const text = asFunction(readFileSync(file, 'utf8'))
  // For machines only: without white space, which would be a tenth of a megabyte.
  const module = await transform(text.replace('module.exports =', 'export default'), { minifyWhitespace: true })
  writeFileSync(file, text)
  writeFileSync(join(kit.root, `../dist/bundle/module/part-${part}.js`), module.code)
}

/**
 * Of a module without imports: what it exports is what it returns. No line moves. An object of hundreds of names is made faster if V8 need
 * not give it a shape.
 */
function asFunction(text) {
  const [begin, end] = [text.lastIndexOf('\nexport {\n'), text.lastIndexOf('\n};')]
  const exported = text.slice(begin, end).replace('export {', 'return { __proto__: null,')
  return `${text.slice(0, begin)}${exported.replace(/([\w$]+) as ([\w$]+)/g, '$2: $1')}\n}})${text.slice(end + 3)}`
}

function exportsOf(part) {
  const modules = part === FIRST ? AT_ONCE : LATE[part]
  return modules.map((module) => `export * from './${module}'`).join('\n')
}

/** With what the parts after it use. */
function entryOf(part, { members, used }) {
  const ofThis = [...used.values()].flat().filter(({ module }) => members.get(module) === part)
  const given = [...new Map(ofThis.map((each) => [each.key, each])).values()]
  if (part !== FIRST) {
    const exported = given.map(({ module, name, key }) => `export { ${name} as ${key} } from './${module}'`)
    return [exportsOf(part), ...exported].join('\n')
  }
  const imports = given.map(({ module, name, key }) => `import { ${name} as ${key} } from './${module}'`)
  const give = `give({ ${[...GIVEN, BUILTIN, ...given.map(({ key }) => key)].join(', ')} })`
  return [
    `export * from './index.ts'`,
    `import { give, showParts } from './parts.ts'`,
    `import { ${SHOWS_PARTS} as shown } from './index.ts'`,
    ...imports,
    give,
    'showParts(shown)',
  ].join('\n')
}

/** @param contents of the module that it begins with. @param used as of otherParts; without it nothing is written */
function bundlePart(part, { root, common, natives, members, hash }, { contents, used }) {
  const isWritten = used !== undefined
  const plugins = [otherParts({ part, root, members, used }), entry(contents, root), memfdNative(natives, part)]
  return build({
    ...common,
    entryPoints: [{ in: 'entry:', out: part === FIRST ? 'index' : part }],
    absWorkingDir: root,
    outdir: join(root, '../dist/bundle'),
    outExtension: { '.js': part === FIRST ? '.js' : '.cjs' },
    write: isWritten,
    sourcesContent: common.sourcesContent && part !== 'internal', // that is for our own packages only
    banner: { js: part === FIRST ? common.banner.js + native(hash) : begin(hash) },
    define: { 'import.meta.dirname': 'libraryFolder' },
    splitting: false,
    plugins: [...plugins, ...common.plugins.filter(({ name }) => isWritten || !/^(line-maps|own-names)$/.test(name))],
  })
}

function entry(contents, resolveDir) {
  return {
    name: 'entry',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^entry:$/ }, () => ({ path: 'entry', namespace: 'entry' }))
      onLoad({ filter: /./, namespace: 'entry' }, () => ({ contents, resolveDir }))
    },
  }
}

/** Of the namespace each name once, as of Node's modules; index.js needs few of them. */
function memfdNative(names, part) {
  const taken = (name) => (part === FIRST ? `/* @__PURE__ */ (() => memfdNative.${name})()` : `memfdNative.${name}`)
  return {
    name: 'memfd-native',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^memfd-native$/ }, ({ path }) => ({ path, namespace: path, sideEffects: false }))
      onLoad({ filter: /./, namespace: 'memfd-native' }, () => ({
        contents: names.map((name) => `export const ${name} = ${taken(name)}`).join('\n'),
      }))
    },
  }
}

/** Lists of names. */
async function writeEntries(root) {
  const [index, internal] = await Promise.all(
    ['index', 'internal'].map(async (entry) => `{\n  ${(await namesOf(join(root, `${entry}.ts`))).join(',\n  ')}\n}`),
  )
  const late = Object.keys(LATE)
  const shown = (path) => [
    `import { ${SHOWS_PARTS} } from '${path}'`,
    `${SHOWS_PARTS}[Symbol.for('@memsvc/shared/parts')]`,
  ]
  const [ofInternal, internalParts] = shown('./index.js')
  const [ofModule, moduleParts] = shown('../index.js')
  const files = {
    'internal.js': [ofInternal, `export const ${internal} = ${internalParts}.part('internal')`],
    'module/parts.js': [
      ofModule,
      ...late.map((part) => `import ${part} from './part-${part}.js'`),
      `export const { part, provide } = ${moduleParts}`,
      `provide({ ${late.join(', ')} })`,
    ],
    'module/index.js': [`import './parts.js'`, `export ${index} from '../index.js'`],
    'module/internal.js': [`import { part } from './parts.js'`, `export const ${internal} = part('internal')`],
  }
  for (const [file, lines] of Object.entries(files)) {
    writeFileSync(join(root, '../dist/bundle', file), `${lines.join('\n')}\n`)
  }
}

/** What a module exports beside types. */
async function namesOf(path) {
  const { metafile } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    outdir: '.',
    external: ['memfd-native'],
  })
  return Object.values(metafile.outputs)[0].exports.sort()
}
