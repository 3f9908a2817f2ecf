/**
 * One connection to the registry: connects, knows the protocol's calls, and brings services of this process their
 * channels. It does not come back when it ends; the ServiceManager makes a new one.
 */
import { connect, constants, OwnedFd, SyscallError, socket } from 'memfd-native'
import type { Binder } from '../binder/binder.ts'
import type { BinderProxy } from '../binder/binder-proxy.ts'
import type { Caller } from '../binder/calling-identity.ts'
import { Session } from '../binder/session.ts'
import { BadParcelError, type LimitError, RegistryUnavailableError, SecurityError } from '../errors.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { acceptsFileDescriptors } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import * as registry from './registry-protocol.ts'

/** What a process that publishes services may want to know of their channels. */
export interface ChannelPolicy {
  /** A client has said who it is. An error turns it away. */
  admit?: (session: Session, caller: Caller) => LimitError | null
  onOpen?: (session: Session) => void
  onEnd?: (session: Session, reason: Error) => void
}

export interface ServiceInfo {
  readonly pid: number
  readonly uid: number
  readonly dumpPriority: number
}

export class RegistryLink {
  readonly #session: Session
  readonly #root: BinderProxy
  readonly #policy: ChannelPolicy

  /** @throws ERR_REGISTRY_UNAVAILABLE nobody listens at the path; ERR_SECURITY the path is closed to this user */
  constructor(path: string, policy: ChannelPolicy, onEnd: (reason: Error) => void) {
    this.#policy = policy
    this.#session = new Session(connectTo(path), {
      role: 'client',
      root: null,
      peerTakesFds: false,
      onAttach: (binder, data) => this.#attach(binder, data),
      onEnd,
    })
    this.#root = this.#session.root
  }

  get isEnded(): boolean {
    return this.#session.isEnded
  }

  close(): void {
    this.#session.close()
  }

  /** The service, as a local binder when it is this process' own, else as the proxy of a channel of its own. */
  async getService(name: string, code = registry.GET_SERVICE): Promise<IBinder | null> {
    return this.#call(code, (data) => data.writeString(name), readService)
  }

  addService(name: string, binder: Binder, dumpPriority: number): Promise<void> {
    return this.#call(registry.ADD_SERVICE, (data) => {
      data.writeString(name)
      data.writeStrongBinder(binder)
      data.writeInt(binder[acceptsFileDescriptors] ? 1 : 0)
      data.writeInt(dumpPriority)
    })
  }

  async listServices(dumpPriority: number): Promise<string[]> {
    const names = await this.#call(
      registry.LIST_SERVICES,
      (data) => data.writeInt(dumpPriority),
      (reply) => reply.readStringArray(),
    )
    return (names ?? []).filter((name) => name !== null)
  }

  notifications(code: number, name: string, callback: Binder): Promise<void> {
    return this.#call(code, (data) => {
      data.writeString(name)
      data.writeStrongBinder(callback)
    })
  }

  async getServiceInfo(name: string): Promise<ServiceInfo | null> {
    return this.#call(
      registry.GET_SERVICE_INFO,
      (data) => data.writeString(name),
      (reply) =>
        reply.readInt() === 0
          ? null
          : { pid: reply.readInt(), uid: reply.readInt() >>> 0, dumpPriority: reply.readInt() },
    )
  }

  async #call(code: number, write: (data: Parcel) => void): Promise<void>
  async #call<T>(code: number, write: (data: Parcel) => void, read: (reply: Parcel) => T): Promise<T>
  async #call<T>(code: number, write: (data: Parcel) => void, read?: (reply: Parcel) => T): Promise<T | undefined> {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()
    try {
      data.writeInterfaceToken(registry.REGISTRY_DESCRIPTOR)
      write(data)
      if (!(await this.#root.transact(code, data, reply))) {
        throw new RegistryUnavailableError(`what listens there is no registry: it does not know code ${code}`)
      }
      reply.readException()
      return read?.(reply)
    } finally {
      data.recycle()
      reply.recycle()
    }
  }

  /** The server end of a new channel to a service of ours. Its client must be the uid that the registry saw. */
  #attach(binder: Binder, data: Parcel): void {
    data.enforceInterface(registry.REGISTRY_DESCRIPTOR)
    const expectedUid = data.readInt() >>> 0
    data.readInt() // pid: the HELLO says it better
    data.readInt() // descriptors: decided by the binder itself
    const session: Session = new Session(readDescriptor(data), {
      role: 'server',
      root: binder,
      peerTakesFds: true,
      expectedUid,
      admit: (caller) => this.#policy.admit?.(session, caller) ?? null,
      onEnd: (reason) => this.#policy.onEnd?.(session, reason),
    })
    this.#policy.onOpen?.(session)
  }
}

function readService(reply: Parcel): IBinder | null {
  const kind = reply.readInt()
  if (kind === registry.SERVICE_NONE) return null
  if (kind === registry.SERVICE_OWN) return reply.readStrongBinder()
  if (kind !== registry.SERVICE_CHANNEL) throw new BadParcelError(`a service of kind ${kind}`)
  const peerTakesFds = reply.readInt() === 1
  const caller = { pid: reply.readInt(), uid: reply.readInt() >>> 0 }
  return new Session(readDescriptor(reply), { role: 'client', root: null, peerTakesFds, caller }).root
}

function readDescriptor(parcel: Parcel): OwnedFd {
  const descriptor = parcel.readFileDescriptor()
  if (descriptor === null) throw new BadParcelError('a channel without its descriptor')
  return OwnedFd.adopt(descriptor.detachFd())
}

function connectTo(path: string): OwnedFd {
  const fd = socket(constants.SOCK_SEQPACKET)
  try {
    connect(fd, path)
    return fd
  } catch (error) {
    fd.close()
    throw connectError(path, error)
  }
}

function connectError(path: string, cause: unknown): unknown {
  if (!(cause instanceof SyscallError)) return cause
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new SecurityError(`the registry at ${path} is closed to this user`, { cause })
  }
  if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'EPROTOTYPE', 'ENOTSOCK'].includes(cause.code)) {
    return new RegistryUnavailableError(`no registry at ${path}: start one with 'memsvc start'`, { cause })
  }
  return cause
}
