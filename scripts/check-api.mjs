/**
 * Checks the public types of the libraries. None of them contains `any`. Everything that is exported has a doc comment, and so
 * has every public member; a comment on an inherited member counts. A library is a package with a src/index.ts. This program
 * reads the sources, so it needs no build.
 */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { runCheck } from './lib/check-program.mjs'
import { listPackages, readJson, repositoryRoot } from './lib/workspace.mjs'

function findProblems(root) {
  const libraries = listPackages(root)
    .map(({ folder, manifest }) => ({ name: manifest.name, folder: `${folder}/src`, entry: `${folder}/src/index.ts` }))
    .filter(({ entry }) => existsSync(join(root, entry)))
  const program = createProgram(root, libraries)
  return libraries.flatMap((library) => [
    ...anyProblems(program, root, library),
    ...docProblems(program, root, library),
  ])
}

/** One program of all libraries, each of which finds the others by their sources. */
function createProgram(root, libraries) {
  const { compilerOptions } = readJson(repositoryRoot, 'tsconfig.base.json')
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, repositoryRoot)
  const paths = Object.fromEntries(libraries.map(({ name, entry }) => [name, [join(root, entry)]]))
  const entries = libraries.map(({ entry }) => join(root, entry))
  return ts.createProgram(entries, { ...options, paths, composite: false, declarationMap: false, outDir: '/emitted' })
}

// --- any ---

function anyProblems(program, root, { folder }) {
  const sources = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(root, folder, '/')))
  return sources.flatMap((source) => {
    const where = relative(root, source.fileName)
    return findAny(declarationsOf(program, source)).map((name) => `${where}: the type of ${name} has an any`)
  })
}

/** What the compiler would write as the .d.ts of a source: the types that it has inferred are spelled out there. */
function declarationsOf(program, source) {
  let text = ''
  const keep = (_path, content) => {
    text = content
  }
  program.emit(source, keep, undefined, true)
  return ts.createSourceFile('emitted.d.ts', text, ts.ScriptTarget.Latest, true)
}

/** The names of the declarations that say `any`. */
function findAny(node) {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return [nameAround(node)]
  const found = []
  ts.forEachChild(node, (child) => {
    found.push(...findAny(child))
  })
  return found
}

function nameAround(node) {
  return node.name?.getText() ?? (node.parent ? nameAround(node.parent) : 'something')
}

// --- doc comments ---

function docProblems(program, root, { folder, entry }) {
  const checker = program.getTypeChecker()
  const isOwn = ({ declarations = [] }) =>
    declarations.some((declaration) => declaration.getSourceFile().fileName.startsWith(join(root, folder, '/')))
  const exported = checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(join(root, entry))))
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter(isOwn)
  return exported.flatMap((symbol) => {
    const members = membersOf(checker, symbol).filter((member) => isOwn(member) && isPublic(checker, member))
    const lacking = [symbol, ...members].filter((each) => !isDocumented(checker, each))
    return lacking.map((each) => `${entry}: no doc comment on ${nameOf(symbol, each)}`)
  })
}

function membersOf(checker, symbol) {
  if (symbol.flags & ts.SymbolFlags.Class) {
    return [...instanceMembers(checker, symbol), ...staticMembers(checker, symbol), ...constructorsOf(symbol)]
  }
  if (symbol.flags & ts.SymbolFlags.Interface) return instanceMembers(checker, symbol)
  return symbol.flags & ts.SymbolFlags.Variable ? staticMembers(checker, symbol) : []
}

function instanceMembers(checker, symbol) {
  return checker.getDeclaredTypeOfSymbol(symbol).getProperties()
}

function staticMembers(checker, symbol) {
  const members = checker.getTypeOfSymbol(symbol).getProperties()
  return members.filter((member) => member.name !== 'prototype' && !isNumber(checker, symbol, member))
}

/** Numbers of the kernel's have its names, which its manual explains. */
function isNumber(checker, symbol, member) {
  const isConstant = (symbol.flags & ts.SymbolFlags.Class) === 0
  return isConstant && (checker.getTypeOfSymbol(member).flags & ts.TypeFlags.NumberLike) !== 0
}

/** Those that take something. */
function constructorsOf(symbol) {
  const member = symbol.members?.get('__constructor')
  return member?.declarations.some(({ parameters }) => parameters.length > 0) ? [member] : []
}

function isPublic(checker, member) {
  const [declaration] = member.declarations
  const isHidden = ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.NonPublicAccessibilityModifier
  if (isHidden || (declaration.name && ts.isPrivateIdentifier(declaration.name))) return false
  return !member.getJsDocTags(checker).some(({ name }) => name === 'internal')
}

/** The code of an error is its own description. */
function isDocumented(checker, symbol) {
  const described = [symbol, shorthandValue(checker, symbol)].filter((each) => each !== undefined)
  return symbol.name === 'code' || described.some((each) => commentsOf(checker, each).length > 0)
}

/** The function `map` of `{ map }`. */
function shorthandValue(checker, { declarations: [declaration] }) {
  return ts.isShorthandPropertyAssignment(declaration)
    ? checker.getShorthandAssignmentValueSymbol(declaration)
    : undefined
}

function commentsOf(checker, symbol) {
  return [...symbol.getDocumentationComment(checker), ...symbol.getJsDocTags(checker)]
}

function nameOf(owner, symbol) {
  if (owner === symbol) return owner.name
  const name = symbol.name === '__constructor' ? 'constructor' : symbol.declarations[0].name.getText()
  return `${owner.name}.${name}`
}

runCheck('check-api', findProblems)
