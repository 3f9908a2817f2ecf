/**
 * One node of a cluster: requests over connections that are kept open, and what is known if one fails. It uses undici.
 */
import { buildConnector, Client, type Dispatcher, errors, Pool } from 'undici'
import { EngineError } from '../engine/engine.ts'
import { type Asker, type GiveUp, KEPT_MS, type NodeOptions, PROBE_MS } from './asking.ts'
import { RpcConnection, type RpcRequest } from './rpc.ts'

export interface NodeRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Empty: none. */
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** At a time: who asks when there are too many waits. */
const MOST = 64

export class Node {
  readonly endpoint: string
  readonly #options: Pool.Options
  /** The last one is asked; those before it have answers to come. */
  readonly #pools = new Set<Pool>()
  readonly #rpc: RpcConnection
  #pool: Pool
  /** What its last connection to break said first. Undici tells only that it has ended, also where TLS has said why. */
  #broke: Error | undefined

  constructor({ endpoint, tls, limits }: NodeOptions) {
    this.endpoint = endpoint
    this.#options = {
      ...{ connections: MOST, pipelining: 1, allowH2: false, keepAliveTimeout: KEPT_MS },
      ...{ headersTimeout: limits.silenceMs, bodyTimeout: limits.silenceMs },
      connect: this.#connector({ ...tls, timeout: limits.connectMs, keepAlive: true, keepAliveInitialDelay: PROBE_MS }),
    }
    this.#pool = this.#newPool()
    this.#rpc = new RpcConnection({ endpoint, tls, limits })
  }

  /** Whether it takes calls by gRPC now. If not, later perhaps. */
  get takesRpc(): boolean {
    return this.#rpc.isOpen
  }

  /** Only while it takes them. */
  askByRpc(request: RpcRequest, asker: Asker): GiveUp {
    return this.#rpc.ask(request, asker)
  }

  ask(request: NodeRequest, asker: Asker): GiveUp {
    return this.#ask(this.#pool, request, asker)
  }

  /**
   * A request on a connection of its own. After its answer has begun, there is no timeout here: the listener has its
   * own.
   */
  listen(request: NodeRequest, asker: Asker): GiveUp {
    const { connections, ...options } = this.#options
    const client = new Client(this.#origin, { ...options, bodyTimeout: 0 })
    const over = () => void client.destroy()
    return this.#ask(client, request, {
      onHead: (status) => asker.onHead(status),
      onBody: (bytes) => asker.onBody(bytes),
      onEnd: () => {
        over()
        asker.onEnd()
      },
      onFailure: (error) => {
        over()
        asker.onFailure(error)
      },
    })
  }

  /** A connection that was kept open may be broken, and a request on it may or may not arrive. */
  dropIdle(): void {
    const before = this.#pool
    this.#pool = this.#newPool()
    before.close(() => this.#pools.delete(before))
    this.#rpc.drop()
  }

  close(): void {
    for (const pool of this.#pools) void pool.destroy()
    this.#rpc.close()
  }

  get #origin(): string {
    return new URL(this.endpoint).origin
  }

  #connector(options: buildConnector.BuildOptions): buildConnector.connector {
    const connect = buildConnector(options)
    return (where, done) =>
      connect(where, (...[error, socket]) => {
        socket?.once('error', (first) => {
          this.#broke = first
        })
        if (error === null) done(error, socket)
        else done(error, null)
      })
  }

  #newPool(): Pool {
    const pool = new Pool(this.#origin, this.#options)
    this.#pools.add(pool)
    return pool
  }

  #ask(by: Dispatcher, { body, ...request }: NodeRequest, asker: Asker): GiveUp {
    const asked = new AskedOnce(asker, (cause, isSent) => this.#failure(cause, isSent))
    const type = body === '' ? {} : { 'content-type': 'application/json' }
    by.dispatch({ ...request, headers: { ...type, ...request.headers }, body: body === '' ? null : body }, asked)
    return (why) => asked.giveUp(why)
  }

  #failure(cause: Error, isSent: boolean): EngineError {
    if (cause instanceof EngineError) return cause
    const why = cause instanceof errors.SocketError ? (this.#broke ?? cause) : cause
    return new EngineError(isSent ? 'unknown' : 'unsent', `${this.endpoint} ${wordsFor(why)}`, { cause: why })
  }
}

class AskedOnce implements Dispatcher.DispatchHandler {
  readonly #asker: Asker
  readonly #failure: (cause: Error, isSent: boolean) => EngineError
  /** Null: nothing of it has been sent. */
  #sending: Dispatcher.DispatchController | null = null
  #isOver = false

  constructor(asker: Asker, failure: (cause: Error, isSent: boolean) => EngineError) {
    this.#asker = asker
    this.#failure = failure
  }

  giveUp(why: string): void {
    this.#fail(new Error(why))
    this.#sending?.abort(new Error(why))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) controller.abort(new Error('the request was cancelled'))
    else this.#sending = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    if (!this.#isOver) this.#asker.onHead(status)
  }

  onResponseData(_: Dispatcher.DispatchController, bytes: Buffer): void {
    if (!this.#isOver) this.#asker.onBody(bytes)
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#asker.onEnd()
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.#fail(error)
  }

  #fail(cause: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#asker.onFailure(this.#failure(cause, this.#sending !== null))
  }
}

function wordsFor(error: Error): string {
  if (error instanceof errors.ConnectTimeoutError) return 'cannot be reached'
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return 'is silent'
  if (error instanceof errors.SocketError) return 'closed the connection'
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError)
    return 'does not speak HTTP'
  // One for each address of a name.
  const [first = error] = error instanceof AggregateError ? (error.errors as Error[]) : []
  return first.message
}
