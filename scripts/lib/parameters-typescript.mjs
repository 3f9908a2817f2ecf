/** Finds TypeScript and JavaScript functions with parameters, or arguments, that a reader of the call cannot tell apart. */
import ts from 'typescript'
import { isPair, MAX_PARAMETERS } from './parameters.mjs'

const { SyntaxKind } = ts

/** As `{ line, name, problem }`. */
export function typeScriptProblems(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const problems = []
  visit(source)
  return problems

  function visit(node) {
    const problem = ts.isCallOrNewExpression(node) ? callProblem(node) : problemOf(node)
    if (problem !== null) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      problems.push({ line: line + 1, name: nameOf(node), problem })
    }
    ts.forEachChild(node, visit)
  }
}

function problemOf(node) {
  if (!ts.isFunctionLike(node)) return null
  const parameters = node.parameters.filter(({ name }) => name.getText() !== 'this')
  if (parameters.length > MAX_PARAMETERS) return `has ${parameters.length} parameters`
  return isPair(parameters.map(isBoolean)) ? 'has two boolean parameters side by side' : null
}

function isBoolean({ type, initializer }) {
  if (type !== undefined) return type.kind === SyntaxKind.BooleanKeyword
  return initializer !== undefined && isLiteral(initializer)
}

function callProblem({ arguments: args = [] }) {
  return isPair([...args].map(isLiteral)) ? 'is called with two booleans side by side' : null
}

function isLiteral({ kind }) {
  return kind === SyntaxKind.TrueKeyword || kind === SyntaxKind.FalseKeyword
}

function nameOf(node) {
  if (ts.isCallOrNewExpression(node)) return node.expression.name?.getText() ?? node.expression.getText()
  if (ts.isConstructorDeclaration(node)) return `the constructor of ${node.parent.name?.getText() ?? 'a class'}`
  return node.name?.getText() ?? node.parent.name?.getText() ?? 'a function'
}
