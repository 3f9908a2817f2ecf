/**
 * A cable: forwards TCP to a port of this machine, until it is pulled: then nothing comes through and nobody is told, as on a network whose packets
 * are lost. `cutOff` ends all connections, as a node that dies does.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly near: Socket
  far: Socket | null
}

export class Cable {
  readonly #server: Server
  #target: number
  readonly #pairs = new Set<Pair>()
  #isPulled = false
  /** Told of what comes from the target. */
  onData: ((pair: { end(): void }, bytes: Buffer) => void) | null = null

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    server.on('connection', (socket) => this.#connected(socket))
  }

  static async to(target: number): Promise<Cable> {
    const server = createServer({ pauseOnConnect: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Cable(server, target)
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Leads elsewhere from now on; what there was breaks. */
  retarget(target: number): void {
    this.#target = target
    this.cutOff()
  }

  pull(): void {
    this.#isPulled = true
    for (const { near, far } of this.#pairs) {
      near.pause()
      far?.pause()
    }
  }

  /** What was on its way arrives now. */
  plugIn(): void {
    this.#isPulled = false
    for (const pair of this.#pairs) {
      if (pair.far === null) this.#join(pair)
      pair.near.resume()
      pair.far?.resume()
    }
  }

  cutOff(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy()
      far?.destroy()
    }
  }

  async close(): Promise<void> {
    this.cutOff()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #connected(near: Socket): void {
    const pair: Pair = { near, far: null }
    this.#pairs.add(pair)
    near.on('error', () => undefined)
    near.on('close', () => {
      this.#pairs.delete(pair)
      pair.far?.destroy()
    })
    if (!this.#isPulled) {
      this.#join(pair)
      near.resume()
    }
  }

  #join(pair: Pair): void {
    const far = createConnection({ port: this.#target, host: '127.0.0.1' })
    pair.far = far
    far.on('error', () => undefined)
    far.on('close', () => pair.near.destroy())
    far.on('data', (bytes) => {
      this.onData?.({ end: () => pair.near.destroy() }, bytes)
      pair.near.write(bytes)
    })
    pair.near.on('data', (bytes) => far.write(bytes))
  }
}
