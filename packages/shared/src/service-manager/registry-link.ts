/**
 * One connection to the registry: connects, and brings services of this process their channels. It does not come back
 * when it ends; the ServiceManager makes a new one.
 */
import process from 'node:process'
import type { AsyncContext, OwnedFd } from 'memfd-native'
import type { Binder } from '../binder/binder.ts'
import { BinderProxy } from '../binder/binder-proxy.ts'
import type { Caller } from '../binder/calling-identity.ts'
import { Session } from '../binder/session.ts'
import { withOptions } from '../binder/with-options.ts'
import { acceptsFileDescriptors, type IBinder } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { DeadObjectError, errorCode, type LimitError, SecurityError } from '../util/errors.ts'
import type { CallOptions } from '../util/patience.ts'
import { readAttachment } from './attachment.ts'
import { type FoundService, IServiceManager } from './registry-interface.ts'
import type { RegistryPlace } from './registry-path.ts'
import { connectRegistry } from './registry-socket.ts'
import { isServiceName } from './service-name.ts'

/** A service of this process. */
export interface Registration {
  /** null is for the registry to refuse. */
  readonly binder: Binder | null
  /** What it is served in, also when it is published again: see `contextFor`. */
  readonly context: AsyncContext | null
  readonly dumpPriority: number
}

/** A new channel that somebody wants. */
export interface Arrival {
  /** As the registry saw it. */
  readonly client: Caller
  /** The service's end. Borrowed. */
  readonly end: OwnedFd
  readonly service: Binder
}

/** A client of a service of this process, let in at least as far as its HELLO. */
export interface Visit {
  /** The error that the client gets then. */
  readonly refusal: LimitError | null
  onOpen: (session: Session) => void
  /** Told once, also where no channel came about. @param pid 0 of one who has not said HELLO */
  onEnd: (pid: number, reason: Error) => void
}

/** What a process that publishes services may want to know of their channels. */
export interface ChannelPolicy {
  /**
   * The registry has brought the end of a new channel; nothing has been made of it
   * yet. null: it is closed at once. Without this everybody is let in.
   */
  enter?: (arrival: Arrival) => Visit | null
  /** The registry is gone. */
  onOutage?: () => void
  /** The next registry did not give a name back that was published here. Without this it is a process warning. */
  onNameLost?: (name: string, error: unknown) => void
}

/** The registry itself. Its methods reject with ERR_DEAD_OBJECT when it goes away. */
export type Registry = InstanceType<typeof IServiceManager.Proxy>

export class RegistryLink {
  /** Waited for as long as it takes: see `within`. */
  readonly registry: Registry
  readonly #session: Session
  readonly #policy: ChannelPolicy
  readonly #byName = new Map<string, Binder>()
  /** Those that the registry may bring clients to: how many names they have, or are to have, and what they are served in. */
  readonly #services = new Map<Binder, { names: number; context: AsyncContext | null }>()

  /** @throws as connectRegistry */
  constructor(place: RegistryPlace, policy: ChannelPolicy, onEnd: (reason: Error) => void) {
    this.#policy = policy
    const { fd, registry } = connectRegistry(place)
    this.#session = new Session(fd, {
      role: 'client',
      caller: registry,
      root: null,
      peerAcceptsFileDescriptors: false,
      usesReserve: true, // to lose the end of a channel is to lose the registry, and every name with it
      onAttach: (binder, data) => this.#attach(binder, data),
      onEnd,
    })
    this.registry = new IServiceManager.Proxy(this.#session.root)
  }

  /** The registry, whose answers are waited for as the options say. */
  within(options: CallOptions): Registry {
    return withOptions(this.registry, options)
  }

  /** Who runs the registry. */
  get holder(): Caller {
    return this.#session.caller
  }

  /**
   * The process has services from now on. The registry must notice its death before the clients do; otherwise a client
   * that asks again at once gets the dead service.
   */
  async addService(name: string, { binder, context, dumpPriority }: Registration, options: CallOptions): Promise<void> {
    if (this.#services.size === 0) this.#session.endFirst()
    // Before it is asked: its first client may come before its answer.
    if (binder !== null) this.#count(binder, 1, context)
    let hasGone = binder
    try {
      await this.within(options).addService(name, binder, binder?.[acceptsFileDescriptors] === true, dumpPriority)
      hasGone = this.#byName.get(name) ?? null
      if (binder !== null) this.#byName.set(name, binder)
    } finally {
      if (hasGone !== null) this.#count(hasGone, -1)
    }
  }

  #count(binder: Binder, change: 1 | -1, context: AsyncContext | null = null): void {
    const service = this.#services.get(binder) ?? { names: 0, context }
    service.names += change
    if (change === 1) service.context = context
    if (service.names === 0) this.#services.delete(binder)
    else this.#services.set(binder, service)
  }

  /**
   * The kernel reports clients to a service with uids of the service's user namespace, and to the registry with uids of
   * the registry's. Both must be the same, or every client would seem to be another user.
   * @throws ERR_SECURITY if they differ
   */
  async checkNamespace(options: CallOptions): Promise<void> {
    const known = await this.#knownUid(options)
    const own = process.geteuid?.()
    if (known === undefined || known === own) return
    throw new SecurityError(
      `the registry sees this process as uid ${known}, but here it is uid ${own}: they are in different user namespaces, ` +
        'so a service cannot tell its clients apart. Run the service and its registry in the same user namespace',
    )
  }

  /** undefined: an older registry does not say. */
  async #knownUid(options: CallOptions): Promise<number | undefined> {
    try {
      return (await this.within(options).getCallerUid()) >>> 0
    } catch (error) {
      if (errorCode(error) === 'ERR_UNKNOWN_TRANSACTION') return undefined
      throw error
    }
  }

  close(): void {
    this.#session.close()
  }

  /**
   * The server end of a new channel to a service of this process. The uid of its client must be the one that the
   * registry saw.
   */
  #attach(binder: Binder, data: Parcel): void {
    const { client, end } = readAttachment(data)
    const visit = this.#services.has(binder) ? this.#enter({ client, end, service: binder }) : null
    if (visit === null) end.close()
    else openChannel(end, { root: binder, rootContext: this.#services.get(binder)?.context ?? null, client, visit })
  }

  #enter(arrival: Arrival): Visit | null | undefined {
    try {
      return this.#policy.enter?.(arrival)
    } catch (error) {
      arrival.end.close()
      throw error
    }
  }
}

interface NewChannel {
  readonly root: Binder
  readonly rootContext: AsyncContext | null
  readonly client: Caller
  readonly visit: Visit | undefined
}

/**
 * Takes over the end.
 * @throws an error if it is not a socket, or cannot be polled
 */
function openChannel(end: OwnedFd, { root, rootContext, client, visit }: NewChannel): void {
  try {
    const session: Session = new Session(end, {
      role: 'server',
      root,
      rootContext,
      peerAcceptsFileDescriptors: true,
      expectedUid: client.uid,
      admit: () => visit?.refusal ?? null,
      onEnd: (reason) => visit?.onEnd(session.caller.pid, reason),
    })
    visit?.onOpen(session)
  } catch (error) {
    visit?.onEnd(0, error as Error)
    throw error
  }
}

/** The binder of a service that was found: local, or the proxy of a new channel. */
export function openService(found: FoundService): IBinder | null {
  if (found.kind === 'none') return null
  if (found.kind === 'own') return found.binder
  const { acceptsFileDescriptors, pid, uid, end } = found
  try {
    return new Session(end, {
      role: 'client',
      root: null,
      peerAcceptsFileDescriptors: acceptsFileDescriptors,
      caller: { pid, uid },
    }).root
  } catch (cause) {
    // epoll_ctl(2) knows what cannot be waited for: nobody here was refused anything.
    if (errorCode(cause) !== 'EPERM') throw cause
    throw new DeadObjectError('the registry returned a channel that is not a socket', { cause })
  }
}

/** The service of that name; null: there is none, or no such name can be. @throws as the registry's getService */
export async function findAndOpen(registry: Registry, name: string): Promise<IBinder | null> {
  return isServiceName(name) ? openService(await registry.getService(name)) : null
}

/** Closes the channel to a service for which nobody waits any more. */
export function closeService(service: IBinder | null): void {
  if (service instanceof BinderProxy) service.close()
}
