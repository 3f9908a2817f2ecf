/** The channels to the service of this process: whose each one is, and what it is charged. */
import type { Binder } from '../binder/binder.ts'
import type { Caller } from '../binder/calling-identity.ts'
import type { Session } from '../binder/session.ts'
import { Admission, type AdmittedPeer } from '../quota/admission.ts'
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
    onOpen: (session, client, service) => known().onOpen?.(session, client, service),
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
  readonly #peers = new Map<Session, AdmittedPeer<R> & { readonly service: Binder }>()

  constructor(admission: Admission<R>) {
    this.#admission = admission
  }

  get size(): number {
    return this.#peers.size
  }

  /** What the ServiceManager tells of them. */
  get policy(): ChannelPolicy {
    return {
      onOpen: (session, client, service) => this.#open(session, client, service),
      admit: (session) => this.#peers.get(session)?.refusal ?? null,
      onEnd: (session, reason) => this.#end(session, reason),
    }
  }

  /** Ends those to this service: its clients look for it anew. */
  closeOf(service: Binder): void {
    for (const [session, peer] of this.#peers) if (peer.service === service) session.close()
  }

  /** Ends them all. */
  close(): void {
    for (const session of this.#peers.keys()) session.close()
  }

  /** Charged before its HELLO, so that who says nothing cannot have more channels than who does. */
  #open(session: Session, client: Caller, service: Binder): void {
    const peer = this.#admission.enter(client.uid)
    if (peer === null) {
      session.close()
      return
    }
    session.chargeTo(peer.account as Account<string>)
    this.#peers.set(session, { ...peer, service })
  }

  #end(session: Session, reason: Error): void {
    const peer = this.#peers.get(session)
    if (peer === undefined) return
    this.#peers.delete(session)
    this.#admission.leave(peer, session.caller.pid, reason)
  }
}
