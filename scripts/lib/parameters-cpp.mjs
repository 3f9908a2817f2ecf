/**
 * Finds C and C++ functions with parameters that a reader of the call cannot tell apart. It looks at the text alone: a
 * definition is a name, a pair of parentheses and then a brace, perhaps after a few words.
 */
import { isPair, MAX_PARAMETERS } from './parameters.mjs'

const COMMENTS_AND_STRINGS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g
const NO_FUNCTIONS = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'sizeof', 'alignas', 'defined'])

/** As `{ line, name, problem }`. */
export function nativeProblems(text) {
  const code = text.replace(COMMENTS_AND_STRINGS, (match) => match.replace(/[^\n]/g, ' '))
  return [...code.matchAll(/([A-Za-z_~]\w*|\])[ \t]*\(/g)].flatMap(({ 0: match, 1: word, index }) => {
    const open = index + match.length - 1
    const close = closingOf(code, open)
    if (close < 0 || NO_FUNCTIONS.has(word) || !isDefinition(code.slice(close + 1))) return []
    const problem = problemOf(split(code.slice(open + 1, close)))
    const line = code.slice(0, index).split('\n').length
    return problem === null ? [] : [{ line, name: word === ']' ? 'a lambda' : word, problem }]
  })
}

function problemOf(parameters) {
  if (parameters.length > MAX_PARAMETERS) return `has ${parameters.length} parameters`
  return isPair(parameters.map((each) => /^(const )?bool\b(?!.*[*])/.test(each)))
    ? 'has two boolean parameters side by side'
    : null
}

/** A body follows, or the initializers of a constructor. */
function isDefinition(rest) {
  return /^\s*(const\b\s*|noexcept\b\s*|override\b\s*|final\b\s*|mutable\b\s*|->\s*[\w:<>*&\s]+?)*(\{|:\s*\w+[({])/.test(
    rest,
  )
}

function closingOf(code, open) {
  let depth = 0
  for (let at = open; at < code.length; at++) {
    if (code[at] === '(') depth += 1
    if (code[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return -1
}

/** At the commas that are in no brackets of their own. */
function split(text) {
  const parts = ['']
  let depth = 0
  for (const character of text) {
    if ('(<[{'.includes(character)) depth += 1
    if (')>]}'.includes(character)) depth -= 1
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  // The environment is handed in: whoever calls from JavaScript does not see it.
  return parts.map((part) => part.trim()).filter((part) => !/^(void|Napi::Env \w+)?$/.test(part))
}
