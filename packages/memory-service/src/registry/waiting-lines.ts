/**
 * The clients that wait for a channel to a service. A service gets new channels as fast as it reads them. While it has
 * not read the last ones, or if many clients come at once, clients wait here and not in its queue. Users take turns, so
 * that one user with thousands of clients does not delay the others.
 */
import { BinderProxy, type IBinder, IllegalStateError } from '@memsvc/shared'
import { type Session, sessionOf, TransientMap, withoutStack } from '@memsvc/shared/internal'
import { DAEMON_LIMITS } from '../quota/limits.ts'
import type { Peer } from './peer.ts'

/** Until the next look at a service that does not read, in milliseconds: nothing tells when it does. */
const RETRY_MS = 10

interface Visitor {
  readonly peer: Peer
  readonly enter: () => void
  readonly giveUp: (reason: Error) => void
}

export class WaitingLines {
  readonly #lines = new TransientMap<Session, WaitingLine>()

  /**
   * Resolves when it is the peer's turn to be brought to the service; undefined: it is now.
   * @throws ERR_LIMIT too many wait; rejects with ERR_ILLEGAL_STATE when the peer leaves meanwhile
   */
  turn(service: IBinder, peer: Peer): Promise<void> | undefined {
    if (!(service instanceof BinderProxy)) return undefined
    const session = sessionOf(service)
    const line = this.#lines.get(session) ?? new WaitingLine(session, () => this.#lines.delete(session))
    this.#lines.set(session, line)
    return line.join(peer)
  }

  /** The peer is gone: its calls wait no longer. */
  leave(peer: Peer): void {
    for (const [, line] of this.#lines) line.leave(peer)
  }
}

/** The line of one service. It exists while a client waits, and until the end of a turn in which one came. */
class WaitingLine {
  readonly #service: Session
  readonly #onEmpty: () => void
  /** In the order in which the users are served. */
  readonly #byUser = new Map<number, Visitor[]>()
  #room: number = DAEMON_LIMITS.channelsPerTurn.limit

  constructor(service: Session, onEmpty: () => void) {
    this.#service = service
    this.#onEmpty = onEmpty
    setImmediate(() => this.#advance())
  }

  join(peer: Peer): Promise<void> | undefined {
    if (this.#byUser.size === 0 && this.#takeRoom()) return undefined
    peer.account.charge('pendingSearches')
    return new Promise((enter, giveUp) => {
      const visitors = this.#byUser.get(peer.caller.uid) ?? []
      visitors.push({ peer, enter, giveUp })
      this.#byUser.set(peer.caller.uid, visitors)
    })
  }

  leave(peer: Peer): void {
    const { uid } = peer.caller
    const visitors = this.#byUser.get(uid) ?? []
    const staying = visitors.filter((visitor) => visitor.peer !== peer)
    if (staying.length > 0) this.#byUser.set(uid, staying)
    else this.#byUser.delete(uid)
    for (const visitor of visitors) {
      if (visitor.peer !== peer) continue
      peer.account.refund('pendingSearches')
      visitor.giveUp(withoutStack(() => new IllegalStateError('the client is gone')))
    }
  }

  /** A new turn of the event loop. To a service that is gone everybody goes at once, and finds nobody. */
  #advance(): void {
    this.#room = this.#service.isEnded ? Number.POSITIVE_INFINITY : DAEMON_LIMITS.channelsPerTurn.limit
    while (this.#byUser.size > 0 && this.#takeRoom()) this.#serveNext()
    if (this.#byUser.size === 0) this.#onEmpty()
    else if (this.#service.queuedBytes > 0) setTimeout(() => this.#advance(), RETRY_MS).unref()
    else setImmediate(() => this.#advance())
  }

  #takeRoom(): boolean {
    if (this.#room === 0 || this.#service.queuedBytes > 0) return false
    this.#room -= 1
    return true
  }

  /** The first client of the first user. This user's other clients come after the first ones of all other users. */
  #serveNext(): void {
    const [[uid, visitors] = []] = this.#byUser
    const visitor = visitors?.shift()
    if (uid === undefined || visitors === undefined || visitor === undefined) return
    this.#byUser.delete(uid)
    if (visitors.length > 0) this.#byUser.set(uid, visitors)
    visitor.peer.account.refund('pendingSearches')
    visitor.enter()
  }
}
