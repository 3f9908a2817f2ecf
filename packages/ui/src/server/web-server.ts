/** HTTP for one page, on 127.0.0.1. Without the address it answers nothing. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Model } from '../model/model.ts'
import { sendEvents } from './events.ts'
import { Guard } from './guard.ts'
import { sendFile } from './page-files.ts'
import { refuse } from './refusal-page.ts'
import { answer } from './routes.ts'

const LOOPBACK = '127.0.0.1'

export class WebServer {
  readonly #server: Server
  readonly #guard: Guard
  #model: Model | null = null

  private constructor(server: Server) {
    this.#server = server
    this.#guard = new Guard((server.address() as AddressInfo).port)
    server.on('request', (request, response) => this.#onRequest(request, response))
  }

  /** @param port 0: a free one. @throws EADDRINUSE, EACCES */
  static async listen(port: number): Promise<WebServer> {
    const server = createServer({ requestTimeout: 60_000 })
    server.listen(port, LOOPBACK)
    await once(server, 'listening')
    return new WebServer(server)
  }

  /** The address to open. */
  get url(): string {
    return this.#guard.url
  }

  /** From now on there is something to show. */
  serve(model: Model): void {
    this.#model = model
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const admission = this.#guard.admit(request)
    if ('refusal' in admission) refuse(response, admission.refusal)
    else if ('redirect' in admission)
      response.writeHead(303, { location: admission.redirect, 'cache-control': 'no-store' }).end()
    else if (this.#model === null) response.writeHead(503).end()
    else if (admission.path === 'api/events') sendEvents(this.#model, request, response)
    else if (admission.path.startsWith('api/'))
      void answer(this.#model, request, { response, path: admission.path.slice(4) })
    else sendFile(admission.path, request, response)
  }
}
