/** Calls to a cluster as its user: with a token where one is needed, renewed when it is over. */
import { EngineError } from '../engine/engine.ts'
import { asksNobody, faultOf, wantsNewToken } from './faults.ts'
import type { Answer, Call, Listening, Nodes } from './nodes.ts'

/** The identity of this machine for the cluster: its token. */
export interface Credentials {
  readonly user: string
  /** Looked at each time that the cluster asks for it: it may be another one by then. */
  readonly password: string
}

/** One that can go by gRPC. */
export interface QuickCall<T> {
  /** And what is asked, of the gateway. */
  readonly path: string
  readonly message: () => object
  readonly timeoutMs: number
  readonly rpc: { readonly path: string; readonly message: () => Buffer; readonly decode: (message: Buffer) => T }
}

/** The cluster does not authenticate its users. */
const NO_TOKEN = ''

export class EtcdSession {
  readonly #nodes: Nodes
  readonly #credentials: Credentials | null
  #token: Promise<string> | null = null

  constructor(nodes: Nodes, credentials: Credentials | null) {
    this.#nodes = nodes
    this.#credentials = credentials
  }

  /** @throws EngineError */
  call<T>(path: string, message: object, timeoutMs?: number): Promise<T> {
    const body = JSON.stringify(message)
    return this.#call({ path, body, timeoutMs }, ({ text }) => parse(text) as T)
  }

  /**
   * Over gRPC, or over the gateway if gRPC is not available.
   * @throws EngineError
   */
  callQuickly<T>({ path, message, timeoutMs, rpc }: QuickCall<T>): Promise<T> {
    return this.#call({ path, body: () => JSON.stringify(message()), timeoutMs, rpc }, (answer) =>
      answer.message === undefined ? (parse(answer.text) as T) : decode(rpc, answer.message),
    )
  }

  async #call<T>(call: Omit<Call, 'headers'>, read: (answer: Answer) => T): Promise<T> {
    const first = await this.#nodes.call({ ...call, headers: await this.#headers() })
    if (first.status === 200) return read(first)
    if (this.#credentials === null || !wantsNewToken(messageOf(first))) throw faultOf(messageOf(first))
    this.#token = null
    const second = await this.#nodes.call({ ...call, headers: await this.#headers() })
    if (second.status === 200) return read(second)
    throw faultOf(messageOf(second))
  }

  /** As Nodes.listen. */
  async listen(
    path: string,
    message: object,
    { headers, ...listening }: Listening & { readonly headers: Readonly<Record<string, string>> },
  ): Promise<never> {
    const body = JSON.stringify(message)
    return this.#nodes.listen({ path, body, headers: { ...headers, ...(await this.#headers()) } }, listening)
  }

  /** The next call asks for a new token. */
  forget(): void {
    this.#token = null
  }

  async #headers(): Promise<Record<string, string>> {
    if (this.#credentials === null) return {}
    this.#token ??= this.#authenticate(this.#credentials)
    try {
      const token = await this.#token
      return token === NO_TOKEN ? {} : { authorization: token }
    } catch (error) {
      this.#token = null
      throw error
    }
  }

  async #authenticate({ user, password }: Credentials): Promise<string> {
    const body = JSON.stringify({ name: user, password })
    const { status, text } = await this.#nodes.call({ path: '/v3/auth/authenticate', body, headers: {} })
    const answer = parse(text)
    const message = status === 200 ? '' : messageOf({ status, text })
    if (asksNobody(message)) return NO_TOKEN
    if (status !== 200) throw faultOf(message)
    const { token } = answer as { token?: unknown }
    if (typeof token !== 'string') throw new EngineError('denied', 'etcd returned no token')
    return token
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function decode<T>({ decode }: QuickCall<T>['rpc'], message: Buffer): T {
  try {
    return decode(message)
  } catch (cause) {
    throw new EngineError('unknown', 'etcd returned an answer that memsvc does not understand', { cause })
  }
}

function messageOf({ status, text }: Answer): string {
  const { message, error } = (parse(text) ?? {}) as { message?: unknown; error?: unknown }
  const found = [message, error].find((each) => typeof each === 'string')
  return typeof found === 'string' ? found : `status ${status}: ${text.slice(0, 200).trim()}`
}
