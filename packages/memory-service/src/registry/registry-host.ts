/** The registry's front: accepts connections on a listener it was handed, and gives each a session of its own. */
import { LimitError } from '@memsvc/shared'
import {
  type Credentials,
  Hub,
  type HubListener,
  type OwnedFd,
  Session,
  setPassRights,
  Violation,
} from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import type { Account, Ledger } from '../ledger.ts'
import { ACCEPT_PAUSE_MS, MAX_REFUSED_WAITING } from '../limits.ts'
import { Registry } from './registry.ts'
import { RegistryConnection } from './registry-connection.ts'

export interface HostOptions {
  /** Bound and listening; owned by the host from here on. */
  readonly listener: OwnedFd
  readonly ledger: Ledger
  readonly logger: Logger
  readonly ownUid: number
}

export class RegistryHost {
  readonly #registry: Registry
  readonly #listener: HubListener
  readonly #ledger: Ledger
  readonly #logger: Logger
  readonly #sessions = new Set<Session>()
  /** Connections over the limit that are still open, waiting for their HELLO. */
  #refused = 0
  #pause: NodeJS.Timeout | undefined

  constructor({ listener, ledger, logger, ownUid }: HostOptions) {
    this.#registry = new Registry(ownUid)
    this.#ledger = ledger
    this.#logger = logger
    setPassRights(listener, false) // inherited by what is accepted; before 6.16 the channel's own check stands alone
    this.#listener = Hub.current().listen(listener, {
      onConnection: (fd, credentials) => this.#onConnection(fd, credentials),
      onAcceptFailed: (errno) => this.#onAcceptFailed(errno),
    })
    Hub.current().ref()
  }

  /** Stops listening and ends every connection. Idempotent. */
  close(): void {
    if (this.#listener.isClosed) return
    clearTimeout(this.#pause)
    this.#listener.close()
    Hub.current().unref()
    for (const session of this.#sessions) session.close()
  }

  #onConnection(fd: OwnedFd, credentials: Credentials | null): void {
    const account = credentials === null ? null : this.#ledger.open(credentials.uid)
    const limit = account === null ? null : charged(account)
    // Without an identity from the kernel there is none at all. And who is one too many hears why after his HELLO, but
    // only so many may take their time over that.
    if (credentials === null || account === null || (limit !== null && this.#refused >= MAX_REFUSED_WAITING)) {
      fd.close()
      return
    }
    setPassRights(fd, false) // again: what was queued before the listener had it
    const { pid, uid } = credentials
    const peer = { caller: { pid, uid }, account }
    if (limit !== null) this.#refused += 1
    const session: Session = new Session(fd, {
      role: 'server',
      root: new RegistryConnection(this.#registry, peer),
      peerTakesFds: true,
      caller: peer.caller,
      admit: () => limit,
      onEnd: (reason) => {
        this.#sessions.delete(session)
        const names = this.#registry.remove(peer)
        if (limit === null) account.refund('connections')
        else this.#refused -= 1
        this.#logEnd({ pid, uid, names }, reason, account)
      },
    })
    this.#sessions.add(session)
    this.#logger.debug({ pid, uid }, 'connected')
  }

  #logEnd(who: { pid: number; uid: number; names: string[] }, reason: Error, account: Account): void {
    if (reason instanceof Violation)
      this.#logger.warn({ ...who, reason: reason.message }, 'connection ended: violation')
    else this.#logger.debug(who, 'connection ended')
    if (account.rest.length > 0) this.#logger.error({ ...who, rest: account.rest }, 'not refunded: a bug')
  }

  /** Out of descriptors or memory. The listener stays readable, so it has to rest, or this would spin. */
  #onAcceptFailed(errno: number): void {
    this.#logger.warn({ errno }, 'cannot accept connections, resting')
    this.#listener.setPaused(true)
    this.#pause = setTimeout(() => this.#listener.setPaused(false), ACCEPT_PAUSE_MS)
  }
}

function charged(account: Account): LimitError | null {
  try {
    account.charge('connections')
    return null
  } catch (error) {
    if (error instanceof LimitError) return error
    throw error
  }
}
