/** Finds the imports of a source file, types included, however they are written. The compiler's parser reads it. */
import ts from 'typescript'

/** Every import of `text`: `{ specifier }`. */
export function findImports(text) {
  const source = ts.createSourceFile('source.tsx', text, ts.ScriptTarget.Latest)
  const found = source.referencedFiles.map(({ fileName }) => fileName)
  visit(source)
  return found.filter((specifier) => specifier !== undefined).map((specifier) => ({ specifier }))

  function visit(node) {
    found.push(specifierOf(node))
    ts.forEachChild(node, visit)
  }
}

function specifierOf(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier)
  if (ts.isImportTypeNode(node)) return textOf(node.argument.literal)
  if (ts.isExternalModuleReference(node)) return textOf(node.expression)
  return ts.isCallExpression(node) && isLoading(node.expression) ? textOf(node.arguments[0]) : undefined
}

/** `import('x')`, `require('x')`, `requireHere('x')`, `createRequire(import.meta.url)('x')`: all look from this file on. */
function isLoading(called) {
  if (called.kind === ts.SyntaxKind.ImportKeyword) return true
  if (ts.isIdentifier(called)) return /^require/.test(called.text)
  if (!ts.isCallExpression(called) || !ts.isIdentifier(called.expression)) return false
  return called.expression.text === 'createRequire' && !ts.isNewExpression(called.arguments[0])
}

function textOf(node) {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined
}

/** `@memsvc/shared/internal` is `{ name: '@memsvc/shared', subpath: './internal' }`. */
export function splitSpecifier(specifier) {
  const [, name, rest] = specifier.match(/^((?:@[^/]+\/)?[^/]+)(.*)$/)
  return { name, subpath: `.${rest}` }
}
