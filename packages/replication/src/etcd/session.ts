/** Calls to a cluster as its user: with a token where one is needed, renewed when it is over. */
import { EngineError } from '../engine/engine.ts'
import { asksNobody, faultOf, wantsNewToken } from './faults.ts'
import type { Listening, Nodes } from './nodes.ts'

/** Who this machine is to the cluster. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

/** The cluster asks nobody who he is. */
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
  async call<T>(path: string, message: object, timeoutMs?: number): Promise<T> {
    const body = JSON.stringify(message)
    const token = await this.#headers()
    const first = await this.#nodes.call({ path, body, headers: token, timeoutMs })
    const answer = parse(first.text)
    if (first.status === 200) return answer as T
    if (this.#credentials === null || !wantsNewToken(messageOf(answer, first))) throw faultOf(messageOf(answer, first))
    this.#token = null
    const second = await this.#nodes.call({ path, body, headers: await this.#headers(), timeoutMs })
    const secondAnswer = parse(second.text)
    if (second.status === 200) return secondAnswer as T
    throw faultOf(messageOf(secondAnswer, second))
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
    const message = status === 200 ? '' : messageOf(answer, { status, text })
    if (asksNobody(message)) return NO_TOKEN
    if (status !== 200) throw faultOf(message)
    const { token } = answer as { token?: unknown }
    if (typeof token !== 'string') throw new EngineError('denied', 'etcd gave no token')
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

function messageOf(answer: unknown, { status, text }: { status: number; text: string }): string {
  const { message, error } = (answer ?? {}) as { message?: unknown; error?: unknown }
  const found = [message, error].find((each) => typeof each === 'string')
  return typeof found === 'string' ? found : `status ${status}: ${text.slice(0, 200)}`
}
