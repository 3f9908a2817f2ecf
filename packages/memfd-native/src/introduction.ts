/**
 * Objects of ours to people who look at them, and to other threads: console.log shows what they are in one line, and nobody gets a
 * copy, which would be an empty object in silence.
 */
import process from 'node:process'
import { checkObject } from './argument.ts'

/** The name of the method that util.inspect, and so console.log, calls. */
export const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** What is told of an object. */
export type Facts = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>

const LONGEST_TEXT = 60

/** The class and what is told, in one line: `MemoryFile { length: 8, state: 'open' }`. What is undefined is left out. */
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
 * From here on structuredClone and postMessage refuse the object: what it stands for belongs to this thread, and another one would get an
 * object without anything. Nothing before Node 22.10, which cannot.
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
