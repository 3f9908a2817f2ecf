/**
 * Calls to one node over gRPC, without the gateway, on one HTTP/2 connection that is opened in the background. While it
 * is not open (not yet, not any more, or the endpoint does not speak HTTP/2), calls use the gateway. So no call waits
 * for the connection.
 */
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Asker, type GiveUp, KEPT_MS, type NodeOptions, PROBE_MS } from './asking.ts'
import { RpcCall, type RpcHead } from './rpc-call.ts'

export interface RpcRequest extends RpcHead {
  readonly message: Buffer
}

/** The least time between two attempts to open it. */
const PAUSE_MS = 5000

export class RpcConnection {
  readonly #options: NodeOptions
  #session: ClientHttp2Session | null = null
  /** It has said that it speaks HTTP/2. */
  #isOpen = false
  #triedAt = Number.NEGATIVE_INFINITY
  /** Those that have answers to come, the present one among them. */
  readonly #sessions = new Map<ClientHttp2Session, Socket>()
  /** It has begun, and nobody has asked anything by it. */
  #next: RpcCall | null = null

  constructor(options: NodeOptions) {
    this.#options = options
  }

  /** Whether it can be called now. If not it is opened beside. */
  get isOpen(): boolean {
    if (this.#session === null) this.#openSoon()
    return this.#isOpen && this.#session?.closed === false && !this.#session.destroyed
  }

  /**
   * Only while it is open. The answer's status is 200, and its body the message; or another one, and the body says why, as the gateway does. What fails
   * may have been carried out.
   */
  ask({ message, ...head }: RpcRequest, asker: Asker): GiveUp {
    const session = this.#session as ClientHttp2Session
    const call = this.#takeNext(head) ?? new RpcCall(session, head, this.#options)
    call.send(message, {
      onHead: (status) => asker.onHead(status),
      onBody: (bytes) => asker.onBody(bytes),
      onEnd: () => {
        asker.onEnd()
        setImmediate(() => this.#beginNext(session, head))
      },
      onFailure: (error) => asker.onFailure(error),
    })
    return (why) => {
      call.giveUp(why)
      // It may lead nowhere.
      if (this.#session === session) this.drop()
    }
  }

  /** Another connection is opened when it is needed. Calls under way continue. */
  drop(): void {
    const session = this.#session
    this.#forget()
    this.#triedAt = Number.NEGATIVE_INFINITY
    if (session === null) return
    session.close()
    setTimeout(() => this.#end(session), this.#options.limits.silenceMs).unref()
  }

  close(): void {
    this.#forget()
    this.#triedAt = Number.POSITIVE_INFINITY
    for (const session of this.#sessions.keys()) this.#end(session)
  }

  #openSoon(): void {
    const now = performance.now()
    if (now - this.#triedAt < PAUSE_MS) return
    this.#triedAt = now
    const { endpoint, limits } = this.#options
    const socket = this.#connect(new URL(endpoint))
    const session = connect(endpoint, { createConnection: () => socket })
    this.#session = session
    this.#sessions.set(session, socket)
    const over = () => {
      clearTimeout(timer)
      if (this.#session === session) this.#forget()
    }
    const timer = setTimeout(() => this.#end(session), limits.connectMs)
    session.setTimeout(KEPT_MS, () => {
      over() // else the next call keeps it open
      session.close()
    })
    session.once('remoteSettings', () => {
      clearTimeout(timer)
      if (this.#session === session) this.#isOpen = true
    })
    session.on('goaway', over)
    session.on('error', over) // whoever asked over it is told by the stream
    session.on('close', () => {
      over()
      this.#sessions.delete(session)
      socket.destroy()
    })
  }

  /** At once. To end it alone leaves a socket that waits for the other side. */
  #end(session: ClientHttp2Session): void {
    session.destroy()
    this.#sessions.get(session)?.destroy()
  }

  #connect({ protocol, hostname, port }: URL): Socket {
    const { tls } = this.#options
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const where = { host, keepAlive: true, keepAliveInitialDelay: PROBE_MS, noDelay: true }
    if (protocol === 'http:') return connectTcp({ ...where, port: Number(port || 80) })
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    return connectTls({ ...where, ...tls, ...name, port: Number(port || 443), ALPNProtocols: ['h2'] })
  }

  /** What takes longest is to begin a call. So the next one begins when one is over. */
  #beginNext(session: ClientHttp2Session, head: RpcHead): void {
    if (this.#next !== null || this.#session !== session || !this.isOpen) return
    this.#next = new RpcCall(session, head, this.#options)
  }

  /** Null: it has to begin. */
  #takeNext(head: RpcHead): RpcCall | null {
    const next = this.#next
    this.#next = null
    if (next?.isFor(head) === true) return next
    next?.giveUp('is not asked that')
    return null
  }

  #forget(): void {
    this.#session = null
    this.#isOpen = false
    this.#next?.giveUp('is not asked any more')
    this.#next = null
  }
}
