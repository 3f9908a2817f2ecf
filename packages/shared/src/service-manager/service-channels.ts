/** The channels to the service of this process: whose each one is, and what it is charged. */
import process from 'node:process'
import type { OwnedFd } from 'memfd-native'
import type { Binder } from '../binder/binder.ts'
import type { Session } from '../binder/session.ts'
import { Admission } from '../quota/admission.ts'
import { type Account, Ledger } from '../quota/ledger.ts'
import { TransientMap } from '../util/transient.ts'
import type { Arrival, ChannelPolicy, Visit } from './registry-link.ts'
import {
  countFreeFiles,
  fitServiceLimits,
  openFilesLimit,
  RESERVE,
  type ServiceLimits,
  type ServiceResource,
} from './service-limits.ts'

/**
 * The default limits of a library's services. They are computed when the first client comes; descriptors that are open
 * at that time are not charged to clients.
 */
export function defaultPolicy(limits: ServiceLimits): ChannelPolicy {
  let policy: ChannelPolicy | undefined
  const known = () => {
    policy ??= policyOf(limits)
    return policy
  }
  let files: number | undefined
  return {
    enter: (arrival) => {
      files ??= openFilesLimit()
      return areFewLeft(arrival.end, files) ? null : (known().enter?.(arrival) ?? null)
    },
  }
}

/**
 * The kernel gives out the lowest free number. A number as high as this means that few are free, whoever has the
 * others.
 */
function areFewLeft({ fd }: OwnedFd, files: number): boolean {
  return fd >= files - RESERVE / 2
}

function policyOf(limits: ServiceLimits): ChannelPolicy {
  return channelsWithin(limits).policy
}

/** For who has to know the channels of its services, to end them. */
export function channelsWithin(limits: ServiceLimits): ServiceChannels<ServiceResource> {
  const ownUid = process.geteuid?.() ?? 0
  const ledger = new Ledger<ServiceResource>({ limits: fitServiceLimits(limits, countFreeFiles()), ownUid })
  return new ServiceChannels(new Admission({ ledger, resource: 'channels', turnedAway: 'turnedAway' }))
}

/** `R` has what a channel charges: `Charged`. */
export class ServiceChannels<R extends string> {
  readonly #admission: Admission<R>
  readonly #sessions = new TransientMap<Session, Binder>()

  constructor(admission: Admission<R>) {
    this.#admission = admission
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What the ServiceManager asks about them. */
  get policy(): ChannelPolicy {
    return { enter: (arrival) => this.#enter(arrival) }
  }

  /** Ends the channels to this service, so its clients look for it again. */
  closeOf(service: Binder): void {
    for (const [session, its] of this.#sessions) if (its === service) session.close()
  }

  /** Ends them all. */
  close(): void {
    for (const [session] of this.#sessions) session.close()
  }

  /** Charged before anything is made, and before its HELLO: who says nothing cannot have more channels than who does. */
  #enter({ client, service }: Arrival): Visit | null {
    const peer = this.#admission.enter(client.uid)
    if (peer === null) return null
    let opened: Session | null = null
    return {
      refusal: peer.refusal,
      onOpen: (session) => {
        opened = session
        session.chargeTo(peer.account as Account<string>)
        peer.account.peer = session
        this.#sessions.set(session, service)
      },
      onEnd: (pid, reason) => {
        if (opened !== null) this.#sessions.delete(opened)
        this.#admission.leave(peer, pid, reason)
      },
    }
  }
}
