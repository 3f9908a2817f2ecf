/**
 * Checks a document against a JSON Schema: as much of it as memsvc.schema.json uses, so that editors, other validators
 * and the daemon go by the same file.
 */
import { DocumentError, type Node } from './document.ts'

export interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
}

/** @throws DocumentError the first thing that is wrong */
export function checkSchema(node: Node, root: Schema): void {
  new Checker(root).check(node, root, 'the document')
}

class Checker {
  readonly #root: Schema

  constructor(root: Schema) {
    this.#root = root
  }

  check(node: Node, schema: Schema, path: string): void {
    if (schema.$ref !== undefined) {
      this.check(node, this.#definition(schema.$ref), path)
      return
    }
    const types = [schema.type ?? []].flat()
    if (types.length > 0 && !types.some((type) => isOfType(node, type))) {
      throw new DocumentError(node.line, `${path} must be ${types.map(article).join(' or ')}`)
    }
    const { value, line } = node
    if (typeof value === 'string') checkString(value, line, schema, path)
    else if (typeof value === 'number') checkNumber(value, line, schema, path)
    else if (Array.isArray(value)) this.#checkItems(value, line, schema, path)
    else if (value instanceof Map) this.#checkMembers(value, line, schema, path)
  }

  #definition(reference: string): Schema {
    const found = this.#root.$defs?.[reference.replace('#/$defs/', '')]
    if (found === undefined) throw new Error(`the schema has no ${reference}`)
    return found
  }

  #checkItems(items: readonly Node[], line: number, schema: Schema, path: string): void {
    if (items.length < (schema.minItems ?? 0)) throw new DocumentError(line, `${path} is empty`)
    for (const [i, item] of items.entries()) this.check(item, schema.items ?? {}, `${path}[${i}]`)
  }

  #checkMembers(members: ReadonlyMap<string, Node>, line: number, schema: Schema, path: string): void {
    const missing = schema.required?.find((key) => !members.has(key))
    if (missing !== undefined) throw new DocumentError(line, `${path} has no "${missing}"`)
    const known = new Map(Object.entries(schema.properties ?? {}))
    for (const [key, member] of members) {
      const memberSchema = known.get(key)
      if (memberSchema !== undefined) this.check(member, memberSchema, path === 'the document' ? key : `${path}.${key}`)
      else if (schema.additionalProperties === false) {
        throw new DocumentError(member.line, `${path} has no member "${key}", only ${[...known.keys()].join(', ')}`)
      }
    }
  }
}

function isOfType({ value }: Node, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return value instanceof Map
  return typeof value === type
}

function checkString(value: string, line: number, { pattern, description }: Schema, path: string): void {
  if (pattern === undefined || new RegExp(pattern, 'u').test(value)) return
  throw new DocumentError(line, `${path} is ${JSON.stringify(value)}, but must be ${description ?? `like ${pattern}`}`)
}

function checkNumber(value: number, line: number, { minimum, maximum }: Schema, path: string): void {
  if (value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)) return
  throw new DocumentError(line, `${path} is ${value}, but must be from ${minimum} to ${maximum}`)
}

function article(type: string): string {
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`
}
