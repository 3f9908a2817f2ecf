/** The channels to the service of this process: whose each one is, and what it is charged. */
import type { Caller, ChannelPolicy, Session } from '@memsvc/shared/internal'
import type { Admission, Guest } from './admission.ts'
import type { Account } from './ledger.ts'

export class ServiceChannels {
  readonly #admission: Admission
  readonly #guests = new Map<Session, Guest>()

  constructor(admission: Admission) {
    this.#admission = admission
  }

  get size(): number {
    return this.#guests.size
  }

  /** What the ServiceManager tells of them. */
  get policy(): ChannelPolicy {
    return {
      onOpen: (session, client) => this.#open(session, client),
      admit: (session) => this.#guests.get(session)?.refusal ?? null,
      onEnd: (session, reason) => this.#end(session, reason),
    }
  }

  /** undefined when the channel is over. */
  accountOf(session: Session): Account | undefined {
    return this.#guests.get(session)?.account
  }

  /** Ends them all. */
  close(): void {
    for (const session of this.#guests.keys()) session.close()
  }

  /** Charged before its HELLO, so that who says nothing cannot have more channels than who does. */
  #open(session: Session, client: Caller): void {
    const guest = this.#admission.enter(client.uid)
    if (guest === null) {
      session.close()
      return
    }
    session.chargeTo(guest.account)
    this.#guests.set(session, guest)
  }

  #end(session: Session, reason: Error): void {
    const guest = this.#guests.get(session)
    if (guest === undefined) return
    this.#guests.delete(session)
    this.#admission.leave(guest, session.caller.pid, reason)
  }
}
