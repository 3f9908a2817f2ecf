/** Finds what can be removed from a TypeScript source, one thing at a time: guards, checks, cleanups, counts, limits, flags. */
import ts from 'typescript'

const { SyntaxKind } = ts

/** Statements that are calls of these are worth a mutant: what they do is seen only when it is not done. */
const CLEANUP =
  /^(?:#?(?:check|require|enforce|assert|refuse|forget|release|close|drop|clear|charge|refund|requeue|cancel|retain|give|let[GL]|carry)\w*|delete|destroy|dispose|unref|ref|hold|keep|recycle|remove\w*|unregister|off|unlink\w*|shutdown|stop\w*|kill|settle|truncate|fchmod|addSeals|seal\w*|setPassRights|setPassCred|chmodSync|rmSync|addEventListener|linkToDeath|unlinkToDeath|clearTimeout|clearInterval|fill|withWords|endFirst|advance|flush\w*|onSent|updateInterest|updateReference)$/
/** What is only said, or only tuned. */
const WORDS = /^(?:log|warn|info|debug|error|trace|emitWarning)$/
const CONSTANT = /^[A-Z][A-Z0-9_]*$/
const TUNED = /_MS$|^(?:MAX_SPARE|YOUTH|RETRY)/
const SWAPPED = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' }
const JUMPS = new Set([
  SyntaxKind.ThrowStatement,
  SyntaxKind.ReturnStatement,
  SyntaxKind.ContinueStatement,
  SyntaxKind.BreakStatement,
])

/** @returns mutants `{ kind, start, end, replacement, context }`, by offset; the context is the function around it */
export function mutateTypeScript(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const mutants = []
  const add = (kind, node, replacement, context) =>
    mutants.push({ kind, start: node.getStart(source), end: node.end, replacement, context })
  const visit = (node, context) => {
    const around = ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node) ? node.getText(source) : context
    for (const rule of RULES) rule(node, (kind, target, replacement) => add(kind, target, replacement, around))
    ts.forEachChild(node, (child) => visit(child, around))
  }
  visit(source, '')
  return mutants
}

const RULES = [
  function guard(node, add) {
    if (ts.isIfStatement(node) && node.elseStatement === undefined && jumps(node.thenStatement))
      add('guard', node, '{}')
  },
  function negation(node, add) {
    const condition = conditionOf(node)
    if (condition) add('negation', condition, `!(${condition.getText()})`)
  },
  function operand(node, add) {
    if (!ts.isBinaryExpression(node) || !isCondition(node)) return
    const { left, right, operatorToken } = node
    if (operatorToken.kind !== SyntaxKind.AmpersandAmpersandToken && operatorToken.kind !== SyntaxKind.BarBarToken)
      return
    add('operand', node, left.getText())
    add('operand', node, right.getText())
  },
  function comparison(node, add) {
    if (!ts.isBinaryExpression(node)) return
    const swapped = SWAPPED[node.operatorToken.getText()]
    if (swapped) add('comparison', node, `${node.left.getText()} ${swapped} ${node.right.getText()}`)
  },
  function call(node, add) {
    if (!ts.isExpressionStatement(node)) return
    const called = calledName(node.expression)
    if (called !== null && CLEANUP.test(called) && !WORDS.test(called)) add('call', node, ';')
  },
  function count(node, add) {
    if (!ts.isExpressionStatement(node) || !ts.isBinaryExpression(node.expression)) return
    const { kind } = node.expression.operatorToken
    if (kind === SyntaxKind.PlusEqualsToken || kind === SyntaxKind.MinusEqualsToken) add('count', node, ';')
  },
  function limit(node, add) {
    if (!ts.isNumericLiteral(node) || !isLimit(node)) return
    add('limit', node, `${Number(node.text.replaceAll('_', '')) + 1}`)
  },
  function wait(node, add) {
    if (ts.isAwaitExpression(node)) add('await', node, `(${node.expression.getText()})`)
  },
  function flag(node, add) {
    if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== SyntaxKind.BarToken) return
    if (!isFlag(node.right)) return
    add('flag', node, node.left.getText())
    if (isFlag(node.left)) add('flag', node, node.right.getText())
  },
  function early(node, add) {
    if (!ts.isMethodDeclaration(node) && !ts.isFunctionDeclaration(node)) return
    const first = node.body?.statements[0]
    if (first === undefined || node.type?.getText() !== 'void' || ts.isReturnStatement(first)) return
    add('early', first, `return;\n${first.getText()}`)
  },
]

function jumps(statement) {
  const last = ts.isBlock(statement) ? statement.statements.at(-1) : statement
  return last !== undefined && JUMPS.has(last.kind)
}

function conditionOf(node) {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression
  return ts.isConditionalExpression(node) ? node.condition : undefined
}

/** Of an `if`, a `while`, a `? :`, a `return`, or a part of such. */
function isCondition(node) {
  const { parent } = node
  if (conditionOf(parent) === node || ts.isReturnStatement(parent) || ts.isArrowFunction(parent)) return true
  return (ts.isBinaryExpression(parent) || ts.isParenthesizedExpression(parent)) && isCondition(parent)
}

function calledName(expression) {
  if (ts.isAwaitExpression(expression) || ts.isVoidExpression(expression)) return calledName(expression.expression)
  if (!ts.isCallExpression(expression)) return null
  const callee = expression.expression
  if (ts.isIdentifier(callee)) return callee.text
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : null
}

function isLimit({ parent }) {
  if (ts.isPropertyAssignment(parent) && parent.name.getText() === 'limit')
    return !/milliseconds/.test(parent.parent.getText())
  if (!ts.isVariableDeclaration(parent) || !ts.isIdentifier(parent.name)) return false
  return CONSTANT.test(parent.name.text) && !TUNED.test(parent.name.text)
}

function isFlag(node) {
  if (ts.isIdentifier(node)) return CONSTANT.test(node.text)
  return ts.isPropertyAccessExpression(node) && CONSTANT.test(node.name.text)
}
