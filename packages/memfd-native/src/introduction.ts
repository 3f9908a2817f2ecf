/**
 * How objects of this library appear: console.log shows them in one line, and they refuse to be cloned, because the
 * copy would silently be an empty object.
 */
import process from 'node:process'
import { checkObject } from './argument.ts'

/** The name of the method that util.inspect calls, and so console.log. */
export const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** The facts that console.log shows of an object. */
export type Facts = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>

const LONGEST_TEXT = 60

/** The class and the facts in one line: `MemoryFile { length: 8, state: 'open' }`. Undefined facts are left out. */
export function introduce(object: object, facts: Facts): string {
  checkObject('object', object)
  checkObject('facts', facts)
  const told = Object.entries(facts).filter(([, fact]) => fact !== undefined)
  const text = told.map(([name, fact]) => `${name}: ${factText(fact)}`).join(', ')
  return `${className(object)} { ${text} }`
}

function factText(fact: Facts[string]): string {
  if (typeof fact === 'bigint') return `${fact}n`
  if (fact === null || ['number', 'boolean'].includes(typeof fact)) return String(fact)
  if (typeof fact !== 'string') return '?' // nobody is told by what is no fact
  const text = JSON.stringify(fact.length > LONGEST_TEXT ? `${fact.slice(0, LONGEST_TEXT)}...` : fact)
  return `'${text.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** Also of a subclass of somebody's. */
function className(object: object): string {
  try {
    return String(object.constructor.name)
  } catch {
    return 'object'
  }
}

type Mark = (object: object) => void

let mark: Mark | undefined

/**
 * Makes structuredClone and postMessage refuse the object, because its resource belongs to this thread and the copy
 * would be empty. Does nothing before Node 22.10.
 */
export function keepFromCloning(object: object): void {
  checkObject('object', object)
  mark ??= findMark()
  mark(object)
}

function findMark(): Mark {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  // Asked first: to load the module takes milliseconds.
  if (major < 22 || (major === 22 && minor < 10)) return () => {}
  const { markAsUncloneable } = process.getBuiltinModule('node:worker_threads') as { markAsUncloneable?: Mark }
  return markAsUncloneable ?? (() => {})
}
