/** The channels to the service of this process: whose each one is, and what it is charged. */
import type { Caller } from '../binder/calling-identity.ts'
import type { Session } from '../binder/session.ts'
import { Admission, type Guest } from '../quota/admission.ts'
import { type Account, Ledger } from '../quota/ledger.ts'
import type { ChannelPolicy } from './registry-link.ts'
import {
  countFreeFiles,
  fitServiceLimits,
  openFilesLimit,
  RESERVE,
  type ServiceLimits,
  type ServiceResource,
} from './service-limits.ts'

/**
 * What a library's services go by, if nobody says anything else. Nothing is counted or looked at before the first
 * client comes: what is open in this process then is not theirs.
 */
export function defaultPolicy(limits: ServiceLimits): ChannelPolicy {
  let policy: ChannelPolicy | undefined
  const known = () => {
    policy ??= policyOf(limits)
    return policy
  }
  const files = openFilesLimit()
  return {
    // Numbers are given out from the lowest: one as high as this means that hardly any is free, whoever has the others.
    hasRoomFor: (end) => end.fd < files - RESERVE / 2,
    onOpen: (session, client) => known().onOpen?.(session, client),
    admit: (session, caller) => known().admit?.(session, caller) ?? null,
    onEnd: (session, reason) => known().onEnd?.(session, reason),
  }
}

function policyOf(limits: ServiceLimits): ChannelPolicy {
  const ownUid = process.geteuid?.() ?? 0
  const ledger = new Ledger<ServiceResource>({ limits: fitServiceLimits(limits, countFreeFiles()), ownUid })
  return new ServiceChannels(new Admission({ ledger, resource: 'channels', turnedAway: 'turnedAway' })).policy
}

/** `R` has what a channel charges: `Charged`. */
export class ServiceChannels<R extends string> {
  readonly #admission: Admission<R>
  readonly #guests = new Map<Session, Guest<R>>()

  constructor(admission: Admission<R>) {
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
    session.chargeTo(guest.account as Account<string>)
    this.#guests.set(session, guest)
  }

  #end(session: Session, reason: Error): void {
    const guest = this.#guests.get(session)
    if (guest === undefined) return
    this.#guests.delete(session)
    this.#admission.leave(guest, session.caller.pid, reason)
  }
}
