/** A memory service by the oracle's hand: docs/protocol.md, sections 5 to 7. */
import { type Packet, RawPeer, wire } from '@memsvc/shared/test-support'
import { addSeals, constants, ftruncate, Mapping, memfdCreate, mmap, type OwnedFd, reopen } from 'memfd-native'
import type { Test } from 'tap'
import {
  descriptor,
  ints,
  MEMORY,
  ownBinder,
  parcelMessage,
  REGISTRY,
  string16,
  token,
  WATCH,
  WATCHER,
} from './by-hand.ts'
import { openConnection } from './raw-channels.ts'

const ADD_SERVICE = 3
const [GET_FILE_DESCRIPTOR, SET_VALUE] = [1, 2]
const [START_WATCHING, STOP_WATCHING, ACKNOWLEDGE] = [1001, 1002, 1003]
const [ATTACH, PING, INTERFACE] = [0x5f41_5454, 0x5f50_4e47, 0x5f4e_5446]
const UNKNOWN_TRANSACTION = 1
const DUMP_PRIORITY = 8
const SERVICE = 1
const CHANGED = 1

interface Watcher {
  readonly peer: RawPeer
  readonly number: number
  /** It was told of a change that it has not acknowledged. */
  isTold: boolean
  hasMissed: boolean
}

export class RawService {
  readonly #t: Test
  readonly #memfd = memfdCreate('by hand', constants.MFD_ALLOW_SEALING)
  readonly #mapping: Mapping
  #watchers: Watcher[] = []

  private constructor(t: Test) {
    this.#t = t
    ftruncate(this.#memfd, 4)
    addSeals(this.#memfd, constants.F_SEAL_SHRINK | constants.F_SEAL_GROW)
    this.#mapping = Mapping.map(this.#memfd, 4, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
    t.teardown(() => {
      this.#mapping.unmap()
      this.#memfd.close()
    })
  }

  /** Registers it; it is gone with the test. */
  static async publish(t: Test, registry: string, name: string): Promise<RawService> {
    const service = new RawService(t)
    const connection = openConnection(t, registry)
    connection.sendHello()
    const binder = ownBinder(SERVICE)
    const parts = [token(REGISTRY), string16(name), binder, ints(0, DUMP_PRIORITY)]
    connection.send(parcelMessage({ kind: wire.TRANSACTION, id: 1, code: ADD_SERVICE }, parts, [binder]))
    await connection.receive()
    void service.#attachAll(connection)
    return service
  }

  get(): number {
    return this.#mapping.readInt32BE(0)
  }

  set(value: number): void {
    if (value === this.get()) return
    this.#mapping.writeInt32BE(0, value)
    for (const watcher of this.#watchers) tell(watcher)
  }

  async #attachAll(connection: RawPeer): Promise<void> {
    for (let packet = await connection.receive(); packet !== null; packet = await connection.receive()) {
      const isAttach = packet.messages.some(({ kind, code }) => kind === wire.TRANSACTION && code === ATTACH)
      const [end] = packet.fds
      if (isAttach && end !== undefined) void this.#serve(new RawPeer(this.#t, end))
    }
  }

  async #serve(peer: RawPeer): Promise<void> {
    for (let packet: Packet | null = await peer.receive(); packet !== null; packet = await peer.receive()) {
      for (const message of packet.messages) if (message.kind === wire.TRANSACTION) this.#answer(peer, message)
    }
    this.#watchers = this.#watchers.filter((watcher) => watcher.peer !== peer)
  }

  #answer(peer: RawPeer, call: wire.Message): void {
    const reply = (parts: readonly Buffer[]) => peer.send(parcelMessage({ kind: wire.REPLY, id: call.id }, parts))
    if (call.code === PING) reply([])
    else if (call.code === INTERFACE) reply([string16(MEMORY)])
    else if (call.code === GET_FILE_DESCRIPTOR) sendRegion(peer, call.id, this.#memfd)
    else if (call.code === ACKNOWLEDGE) this.#acknowledge(peer, binderOf(call))
    else if (call.code === SET_VALUE) {
      this.set(call.body.readInt32LE(token(MEMORY).length))
      reply([ints(0)])
    } else if (call.code === START_WATCHING) {
      this.#watchers.push({ peer, number: binderOf(call), isTold: false, hasMissed: false })
      reply([ints(0)])
    } else if (call.code === STOP_WATCHING) {
      this.#watchers = this.#watchers.filter((watcher) => watcher.peer !== peer || watcher.number !== binderOf(call))
      reply([ints(0)])
    } else
      peer.send(parcelMessage({ kind: wire.FAILURE, id: call.id, code: UNKNOWN_TRANSACTION }, [string16('unknown')]))
  }

  #acknowledge(peer: RawPeer, number: number): void {
    const watcher = this.#watchers.find((each) => each.peer === peer && each.number === number)
    if (watcher === undefined) return
    watcher.isTold = false
    if (watcher.hasMissed) tell(watcher)
  }
}

/** At most one notice that is not acknowledged. */
function tell(watcher: Watcher): void {
  watcher.hasMissed = watcher.isTold
  if (watcher.isTold) return
  watcher.isTold = true
  const fields = { kind: wire.TRANSACTION, flags: wire.ONEWAY, object: watcher.number, code: CHANGED }
  watcher.peer.send(parcelMessage(fields, [token(WATCHER)]))
}

/** An open of its own, read-only. */
function sendRegion(peer: RawPeer, id: number, memfd: OwnedFd): void {
  using region = reopen(memfd, constants.O_RDONLY)
  const object = descriptor(0)
  const fields = { kind: wire.REPLY, id, descriptorCount: 1 }
  peer.send(parcelMessage(fields, [ints(0, 1, 0), object], [object]), [region])
}

/** The number of the callback in a request of `memsvc.IWatch`. */
function binderOf({ body }: wire.Message): number {
  return body.readUInt32LE(token(WATCH).length + 4)
}
