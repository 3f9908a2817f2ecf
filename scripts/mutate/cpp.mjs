/** Finds what can be removed from a C++ source, line by line: our code has one statement per line, so no parser is needed. */

const GUARD = /^\s*if \(.*\) (?:return\b.*|continue|break);$/
const CONDITION = /^(\s*(?:\} else )?if \()(.*)(\) (?:\{|return\b.*;|continue;|break;))$/
const CLEANUP =
  /^\s*(?:::)?(?:[\w.>-]*\.)?(?:close|munmap|reset|release|clear|erase|Unref|Ref|Reset|uv_\w*stop|uv_close|uv_unref|napi_delete_\w+|napi_remove_\w+|Forget\w*|Free\w*|Release\w*|Close\w*|Remove\w*|Unmap\w*|Stop\w*)\(.*\);$/
const COUNT = /^\s*(?:[+-]{2}\w+|\w+[+-]{2}|[\w.>[\]-]+ [+-]= .*);$/
const OR = /\b(k?[A-Z][\w]*) \| (k?[A-Z][\w]*)\b/g
const LONE_FLAG = /, (MSG_DONTWAIT|MSG_NOSIGNAL|O_CLOEXEC|SOCK_CLOEXEC|MFD_CLOEXEC)\)/g
const COMPARISON = / (<=|>=|<|>) /g
const SWAPPED = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' }

/** @returns mutants `{ kind, start, end, replacement, context }`, by offset; the context is the lines around it */
export function mutateCpp(_path, text) {
  const lines = text.split('\n')
  let offset = 0
  return lines.flatMap((line, index) => {
    const start = offset
    offset += line.length + 1
    const context = lines.slice(Math.max(index - 2, 0), index + 3).join('\n')
    const code = line.replace(/\s*\/\/.*$/, '')
    if (/^\s*(?:\*|\/\*|#)/.test(code)) return []
    return lineMutants(code).map((mutant) => ({
      kind: mutant.kind,
      start: start + mutant.from,
      end: start + mutant.to,
      replacement: mutant.replacement,
      context,
    }))
  })
}

function lineMutants(code) {
  const whole = (kind, replacement) => ({ kind, from: 0, to: code.length, replacement })
  const mutants = []
  if (GUARD.test(code)) mutants.push(whole('guard', ''))
  if (CLEANUP.test(code)) mutants.push(whole('call', ''))
  if (COUNT.test(code)) mutants.push(whole('count', ''))
  const condition = code.match(CONDITION)
  if (condition) mutants.push(whole('negation', `${condition[1]}!(${condition[2]})${condition[3]}`))
  for (const { 0: all, 1: left, 2: right, index } of code.matchAll(OR)) {
    mutants.push({ kind: 'flag', from: index, to: index + all.length, replacement: left })
    mutants.push({ kind: 'flag', from: index, to: index + all.length, replacement: right })
  }
  for (const { 0: all, 1: flag, index } of code.matchAll(LONE_FLAG)) {
    mutants.push({ kind: 'flag', from: index, to: index + all.length, replacement: all.replace(flag, '0') })
  }
  if (/\b(?:if|for|while|return)\b/.test(code) && !/template|reinterpret_cast<|std::\w+</.test(code)) {
    for (const { 1: operator, index } of code.matchAll(COMPARISON)) {
      const from = index + 1
      mutants.push({ kind: 'comparison', from, to: from + operator.length, replacement: SWAPPED[operator] })
    }
  }
  return mutants
}
