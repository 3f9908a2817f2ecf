/**
 * A parser for JSON that remembers line numbers, so that errors in a configuration file can name the line. It is
 * stricter than JSON.parse in one point: a key that appears twice is an error, because one of the two would be ignored.
 */
export type Scalar = null | boolean | number | string

export interface Node {
  /** The line in which the value begins, from 1. */
  readonly line: number
  readonly value: Scalar | readonly Node[] | ReadonlyMap<string, Node>
}

/** An error, with its line. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly line: number

  constructor(line: number, reason: string) {
    super(reason)
    this.line = line
  }
}

/** A member of an object; undefined if there is none, or if this is not an object. */
export function member(node: Node, key: string): Node | undefined {
  return members(node).get(key)
}

export function members(node: Node | undefined): ReadonlyMap<string, Node> {
  return node?.value instanceof Map ? node.value : new Map()
}

export function items(node: Node | undefined): readonly Node[] {
  return Array.isArray(node?.value) ? node.value : []
}

/** Arrays and objects in each other. */
const MAX_DEPTH = 16

/** @throws DocumentError */
export function parseDocument(text: string): Node {
  const reader = new Reader(text)
  const node = reader.value(0)
  reader.expectEnd()
  return node
}

interface Token {
  readonly text: string
  readonly line: number
}

const SPACE = /[ \t\r\n]*/y
const TOKEN = /[{}[\],:]|"(?:[^"\\\n]|\\.)*"|[^\s{}[\],:"]+/y

class Reader {
  readonly #text: string
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Node {
    const { text, line } = this.#next('a value')
    if (depth > MAX_DEPTH) throw new DocumentError(line, `more than ${MAX_DEPTH} levels deep`)
    if (text === '{') return { line, value: this.#object(depth) }
    if (text === '[') return { line, value: this.#array(depth) }
    return { line, value: scalar(text, line) }
  }

  expectEnd(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) throw new DocumentError(this.#line, 'nothing may follow the end of the object')
  }

  #object(depth: number): Map<string, Node> {
    const members = new Map<string, Node>()
    if (this.#skips('}')) return members
    do {
      const { text, line } = this.#next('a key in quotes')
      const key = text.startsWith('"') ? scalar(text, line) : null
      if (typeof key !== 'string') throw new DocumentError(line, `expected a key in quotes, not ${text}`)
      if (members.has(key)) throw new DocumentError(line, `the key ${text} appears twice`)
      this.#expect(':')
      members.set(key, this.value(depth + 1))
    } while (this.#goesOn('}'))
    return members
  }

  #array(depth: number): Node[] {
    const items: Node[] = []
    if (this.#skips(']')) return items
    do items.push(this.value(depth + 1))
    while (this.#goesOn(']'))
    return items
  }

  /** After a value: true at a comma, false at the end. */
  #goesOn(end: string): boolean {
    const { text, line } = this.#next(`a comma or ${end}`)
    if (text !== ',' && text !== end) throw new DocumentError(line, `expected a comma or ${end}, not ${text}`)
    return text === ','
  }

  #expect(wanted: string): void {
    const { text, line } = this.#next(wanted)
    if (text !== wanted) throw new DocumentError(line, `expected ${wanted}, not ${text}`)
  }

  #skips(end: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== end) return false
    this.#at += 1
    return true
  }

  #next(wanted: string): Token {
    this.#skipSpace()
    TOKEN.lastIndex = this.#at
    const text = TOKEN.exec(this.#text)?.[0]
    if (text === undefined) throw new DocumentError(this.#line, this.#strangeness(wanted))
    this.#at += text.length
    return { text, line: this.#line }
  }

  /** What stands where no token begins. */
  #strangeness(wanted: string): string {
    const next = this.#text[this.#at]
    if (next === undefined) return `expected ${wanted}, but the text ends`
    return next === '"' ? 'a string does not end' : `JSON has no space like ${JSON.stringify(next)}`
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at
    const space = SPACE.exec(this.#text)?.[0] ?? ''
    this.#at += space.length
    this.#line += space.split('\n').length - 1
  }
}

function scalar(text: string, line: number): Scalar {
  try {
    return JSON.parse(text) as Scalar
  } catch {
    throw new DocumentError(line, `${text} is not a JSON value`)
  }
}
