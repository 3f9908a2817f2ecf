/** What the page asks for and has done. Every answer is one JSON object; an error has `code` and `words`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidArgValueError, OutOfRangeError } from '@memsvc/shared'
import type { Model } from '../model/model.ts'
import { policy } from './headers.ts'
import { conflictOf, describe } from './words.ts'

interface Asked {
  readonly query: URLSearchParams
  /** Of a POST; an object. */
  readonly body: Readonly<Record<string, unknown>>
}

type Route = (model: Model, asked: Asked) => object | Promise<object>

const INT32 = { least: -2_147_483_648, most: 2_147_483_647 }
/** The longest value that a store takes, with room for what JSON makes of it. */
const MOST_BYTES = 34 * 1024 * 1024

const ROUTES: Readonly<Record<string, Route>> = {
  'GET value': (model, { query }) => model.value(text(query.get('name'), 'name')).state,
  'POST read': (model, { body }) => model.value(text(body.name, 'name')).read(),
  'POST write': async (model, { body }) => {
    const value = parseInt32(text(body.text, 'text'))
    await model.value(text(body.name, 'name')).write(value)
    return { value }
  },
  'GET store': (model, { query }) => model.store(text(query.get('name'), 'name')).list(query.get('search') ?? ''),
  'GET entry': (model, { query }) => ({
    entry: model.store(text(query.get('name'), 'name')).entry(text(query.get('key'), 'key')),
  }),
  'POST put': async (model, { body }) => {
    const edit = { text: text(body.text, 'text'), mode: text(body.mode, 'mode'), ifVersion: version(body.ifVersion) }
    return { version: await model.store(text(body.name, 'name')).put(text(body.key, 'key'), edit) }
  },
  'POST delete': async (model, { body }) => {
    const deleted = await model.store(text(body.name, 'name')).delete(text(body.key, 'key'), version(body.ifVersion))
    return { deleted }
  },
  'POST start': async (model) => {
    await model.start()
    return {}
  },
  'GET inspect': (model, { query }) => model.inspect(text(query.get('name'), 'name')),
}

export async function answer(
  model: Model,
  request: IncomingMessage,
  { response, path }: { response: ServerResponse; path: string },
): Promise<void> {
  const [name = '', search = ''] = path.split('?', 2)
  const asks = `${request.method} ${name}`
  const route = Object.hasOwn(ROUTES, asks) ? ROUTES[asks] : undefined
  if (route === undefined) return send(response, 404, { code: 'ERR_NO_SUCH_ELEMENT', words: 'There is nothing here.' })
  try {
    const body = request.method === 'POST' ? await readBody(request) : {}
    send(response, 200, await route(model, { query: new URLSearchParams(search), body }))
  } catch (error) {
    const { status, ...problem } = describe(error)
    send(response, status, { ...problem, version: conflictOf(error) })
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { ...policy(), 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}

/** @throws ERR_INVALID_ARG_VALUE it is too long, or no object in JSON */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new InvalidArgValueError('This is too long.')
    chunks.push(chunk)
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
  } catch {
    // said below
  }
  throw new InvalidArgValueError('The request is not a JSON object.')
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw new InvalidArgValueError(`${name} is missing.`)
}

/** Null: whatever there is. A version is a number beyond those of JSON, so a string. */
function version(value: unknown): bigint | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value)
  throw new InvalidArgValueError('ifVersion is not a version.')
}

/** As Integer.parseInt of the seed's `onClick`. */
function parseInt32(given: string): number {
  const trimmed = given.trim()
  if (trimmed === '') throw new InvalidArgValueError('Type a whole number first.')
  if (!/^[+-]?\d+$/.test(trimmed)) throw new InvalidArgValueError(`${JSON.stringify(trimmed)} is not a whole number.`)
  const number = Number(trimmed)
  if (number < INT32.least || number > INT32.most) {
    throw new OutOfRangeError(`a value must be from ${INT32.least} to ${INT32.most}, not ${trimmed}.`)
  }
  return number + 0
}
