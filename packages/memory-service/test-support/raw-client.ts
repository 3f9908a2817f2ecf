/** A client of the memory service by the oracle's hand: docs/protocol.md, sections 6 and 7. */
import { readSync } from 'node:fs'
import { RawPeer, wire } from '@memsvc/shared/test-support'
import type { OwnedFd } from 'memfd-native'
import type { Test } from 'tap'
import { ints, MEMORY, ownBinder, RawChannel, REGISTRY, string16, token, WATCH } from './by-hand.ts'
import { openConnection } from './raw-channels.ts'

const GET_SERVICE = 1
const [GET_FILE_DESCRIPTOR, SET_VALUE] = [1, 2]
const [START_WATCHING, ACKNOWLEDGE] = [1001, 1003]
const CALLBACK = 1

export class RawClient {
  readonly #channel: RawChannel

  private constructor(channel: RawChannel) {
    this.#channel = channel
  }

  /** Gone with the test. */
  static async open(t: Test, registry: string, name: string): Promise<RawClient> {
    return new RawClient(await openRawService(t, registry, name))
  }

  async read(): Promise<number> {
    const [, [region]] = await this.#channel.call(GET_FILE_DESCRIPTOR, [token(MEMORY)])
    if (region === undefined) throw new Error('no region came')
    return readInt(region)
  }

  /** @returns the code of the exception, 0 for none */
  async write(value: number): Promise<number> {
    const [answer] = await this.#channel.call(SET_VALUE, [token(MEMORY), ints(value)])
    return answer.body.readInt32LE(0)
  }

  /** The status of the failure that a call of this code is. */
  async callUnknown(code: number): Promise<number> {
    const [answer] = await this.#channel.call(code, [token(MEMORY)])
    return answer.kind === wire.FAILURE ? answer.code : 0
  }

  async watch(): Promise<() => Promise<number>> {
    const callback = ownBinder(CALLBACK)
    await this.#channel.call(START_WATCHING, [token(WATCH), callback], [callback])
    let isFirst = true
    return async () => {
      if (!isFirst) {
        await this.#channel.nextCall()
        this.#channel.callOneway(ACKNOWLEDGE, [token(WATCH), callback], [callback])
      }
      isFirst = false
      return this.read()
    }
  }
}

/** A channel to a service, by the oracle's hand. Gone with the test. */
export async function openRawService(t: Test, registry: string, name: string): Promise<RawChannel> {
  const connection = new RawChannel(openConnection(t, registry))
  const [, [end]] = await connection.call(GET_SERVICE, [token(REGISTRY), string16(name)])
  connection.close()
  if (end === undefined) throw new Error(`there is no ${name}`)
  return new RawChannel(new RawPeer(t, end))
}

function readInt(region: OwnedFd): number {
  const bytes = Buffer.alloc(4)
  readSync(region.fd, bytes, 0, 4, 0)
  region.close()
  return bytes.readInt32BE(0)
}
