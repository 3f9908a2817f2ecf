/** Finds the imports of a source file in its text. That is enough for formatted code, and needs no parser. */

/** `import … from 'x'`, `import 'x'`, `export … from 'x'`; the first group is `type` where nothing is loaded. */
const STATIC = /^[ \t]*(?:import|export)\s+(?:(type)\s+)?(?:[\w$*{},\s]+?\s+from\s+)?['"]([^'"\n]+)['"]/gm
/** `import('x')`, `require('x')`, `requireHere('x')`, `createRequire(…)('x')`. */
const DYNAMIC = /(?:\b(?:import|require\w*)|\bcreateRequire\([^)]*\))\(\s*['"]([^'"\n]+)['"]\s*\)/g
const COMMENT = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm

/** Every import of `text`: `{ specifier, isTypeOnly }`. */
export function findImports(text) {
  const code = text.replace(COMMENT, '')
  const statics = [...code.matchAll(STATIC)].map(([, type, specifier]) => ({ specifier, isTypeOnly: type === 'type' }))
  const dynamics = [...code.matchAll(DYNAMIC)].map(([, specifier]) => ({ specifier, isTypeOnly: false }))
  return [...statics, ...dynamics]
}

/** `@memsvc/shared/internal` is `{ name: '@memsvc/shared', subpath: './internal' }`. */
export function splitSpecifier(specifier) {
  const [, name, rest] = specifier.match(/^((?:@[^/]+\/)?[^/]+)(.*)$/)
  return { name, subpath: `.${rest}` }
}
