/** The front of the registry: it accepts connections on the listener that it gets, and makes a session for each. */
import { Admission, connectionRateFarewell, countRefusal, Session, TransientSet } from '@memsvc/shared/internal'
import {
  type Credentials,
  getPeerGroups,
  Hub,
  type HubListener,
  type OwnedFd,
  type Refusal,
  setPassRights,
} from 'memfd-native'
import type { Access } from '../access/access.ts'
import type { DaemonLog } from '../log/logger.ts'
import type { PeerLog } from '../log/peer-log.ts'
import type { Ledger } from '../quota/ledger.ts'
import { DAEMON_LIMITS, type Resource } from '../quota/limits.ts'
import { Arrivals } from './arrivals.ts'
import type { Gate } from './gate.ts'
import { Registry } from './registry.ts'
import { RegistryConnection } from './registry-connection.ts'

export interface HostOptions {
  /** Bound and listening; owned by the host from here on. */
  readonly listener: OwnedFd
  readonly ledger: Ledger
  readonly log: DaemonLog
  readonly access: Access
  /** Questions for names wait for it: earlier, the host's own service would seem not to exist. */
  readonly gate: Gate
}

/** For users without a rule. */
const NOT_ASKED_FOR: readonly number[] = []

export class RegistryHost {
  readonly #registry: Registry
  readonly #access: Access
  readonly #gate: Gate
  #listener: HubListener
  readonly #admission: Admission<Resource>
  readonly #log: PeerLog
  readonly #arrivals: Arrivals
  /** The packet for refused connections, the same for all. */
  readonly #farewell = connectionRateFarewell(DAEMON_LIMITS.arrivals.limit)
  #lastToldOfRate = Number.NEGATIVE_INFINITY
  readonly #sessions = new TransientSet<Session>()
  /** From the first failure to accept until one succeeds: an outage is one line of log. */
  #pause: NodeJS.Timeout | null = null

  constructor({ listener, ledger, log, access, gate }: HostOptions) {
    this.#registry = new Registry(access)
    this.#access = access
    this.#gate = gate
    this.#admission = new Admission({ ledger, resource: 'connections', turnedAway: 'turnedAway', log: log.peers })
    this.#log = log.peers
    this.#arrivals = new Arrivals({ ownUid: ledger.ownUid })
    this.#listener = this.#accept(listener)
    Hub.current().ref()
  }

  /** Accepts on this listener from now on, instead of the previous one. The host owns it. */
  listenOn(listener: OwnedFd): void {
    const before = this.#listener
    this.#listener = this.#accept(listener)
    before.close()
  }

  /** Stops listening and ends every connection. Idempotent. */
  close(): void {
    if (this.#listener.isClosed) return
    clearTimeout(this.#pause ?? undefined)
    this.#listener.close()
    Hub.current().unref()
    for (const session of this.#sessions) session.close()
  }

  #accept(listener: OwnedFd): HubListener {
    setPassRights(listener, false) // inherited by what is accepted; before 6.16 the channel's own check stands alone
    const handler = {
      refuse: (uid: number) => this.#refuse(uid),
      onConnection: (fd: OwnedFd, credentials: Credentials | null) => this.#onConnection(fd, credentials),
      onAcceptFailed: (errno: number) => this.#onAcceptFailed(errno),
    }
    return Hub.current().listen(listener, handler, { inNoContext: true }) // it runs nothing of a user's
  }

  /** Before anything is made for it. */
  #refuse(uid: number): Refusal | null {
    if (this.#arrivals.admits(uid)) return null
    countRefusal('ERR_LIMIT')
    const now = performance.now()
    if (now - this.#lastToldOfRate > DAEMON_LIMITS.logPeriod.limit) {
      this.#lastToldOfRate = now
      this.#log.warn({ uid }, 'connections were turned away: too many new ones of one user')
    }
    return { farewell: this.#farewell, milliseconds: this.#arrivals.restMs(uid) }
  }

  #onConnection(fd: OwnedFd, credentials: Credentials | null): void {
    this.#pause = null
    // Without an identity from the kernel there is none at all.
    const admitted = credentials === null ? null : this.#admission.enter(credentials.uid)
    if (credentials === null || admitted === null) {
      fd.close()
      return
    }
    setPassRights(fd, false) // again: what was queued before the listener had it
    const { account, refusal } = admitted
    const { pid, uid, gid } = credentials
    const groups = this.#access.isOwner(uid) ? NOT_ASKED_FOR : [gid, ...getPeerGroups(fd)]
    const peer = { caller: { pid, uid }, groups, account, hasHungUp: () => session.hasHungUp }
    const session: Session = new Session(fd, {
      role: 'server',
      root: new RegistryConnection(this.#registry, peer, this.#gate),
      peerAcceptsFileDescriptors: true,
      caller: peer.caller,
      admit: () => refusal,
      onEnd: (reason) => {
        this.#sessions.delete(session)
        this.#registry.remove(peer)
        this.#admission.leave(admitted, pid, reason)
      },
    })
    session.chargeTo(account)
    account.peer = session
    this.#sessions.add(session)
  }

  /** Out of descriptors or memory. The listener stays readable, so it has to rest, or this would spin. */
  #onAcceptFailed(errno: number): void {
    if (this.#pause === null) this.#log.warn({ errno }, 'cannot accept connections for now')
    this.#listener.setPaused(true)
    this.#pause = setTimeout(() => this.#listener.setPaused(false), DAEMON_LIMITS.acceptPause.limit)
  }
}
