/**
 * The state of the registry: which name belongs to which binder of which connection, and which callbacks wait for it.
 * It knows connections, but no sockets.
 */
import {
  BinderProxy,
  type IBinder,
  IllegalStateError,
  InvalidArgValueError,
  NullPointerError,
  SecurityError,
  type ServiceInfo,
} from '@memsvc/shared'
import { type FoundService, IServiceCallback, isServiceName, show, withoutStack } from '@memsvc/shared/internal'
import type { Access, Action } from '../access/access.ts'
import { type Notification, Notifications } from './notifications.ts'
import { openChannel } from './open-channel.ts'
import type { Peer } from './peer.ts'
import { WaitingLines } from './waiting-lines.ts'

interface Entry {
  readonly peer: Peer
  readonly binder: IBinder
  readonly acceptsFileDescriptors: boolean
  readonly dumpPriority: number
}

/** A service as its holder adds it. */
export interface NewService {
  readonly name: string | null
  readonly binder: IBinder | null
  readonly acceptsFileDescriptors: boolean
  readonly dumpPriority: number
}

export class Registry {
  readonly #access: Access
  readonly #entries = new Map<string, Entry>()
  readonly #namesOf = new Map<Peer, Set<string>>()
  readonly #notifications = new Notifications()
  readonly #waiting = new WaitingLines()
  /** How often each object is needed here, as a service or a callback. */
  readonly #uses = new Map<IBinder, number>()
  /** Until a name comes or goes: to sort them takes longer than all the rest of a list. */
  #sortedNames: string[] | null = null

  constructor(access: Access) {
    this.#access = access
  }

  /** The order of checks is Android's: who, what, how it is called; then whose the name is. */
  add(peer: Peer, service: NewService): void {
    const { name, binder, acceptsFileDescriptors, dumpPriority } = service
    if (!this.#allows('add', peer, name ?? '')) {
      throw withoutStack(() => new SecurityError(`uid ${peer.caller.uid} may not add ${show(name)} here`))
    }
    if (binder === null) throw withoutStack(() => new InvalidArgValueError('Null binder'))
    checkName(name)
    const holder = this.#entryOf(name)
    if (holder !== undefined && !isSameProcess(holder.peer, peer)) {
      throw withoutStack(() => new IllegalStateError(`the name ${name} is held by process ${holder.peer.caller.pid}`))
    }
    if (holder?.peer !== peer) {
      peer.account.charge('names')
      holder?.peer.account.refund('names')
    }
    if (holder !== undefined) this.#take(name, holder.peer)
    this.#namesOf.set(peer, (this.#namesOf.get(peer) ?? new Set()).add(name))
    this.#entries.set(name, { peer, binder, acceptsFileDescriptors, dumpPriority })
    this.#use(binder, 1)
    if (holder === undefined) this.#sortedNames = null
    else this.#use(holder.binder, -1)
    if (holder !== undefined) this.letGo(holder.binder)
    for (const notification of this.#notifications.ofName(name)) this.#tell(notification)
  }

  /** A name that is unknown, hidden from this peer or not allowed finds nothing; this is not an error. */
  find(peer: Peer, name: string | null): FoundService | Promise<FoundService> {
    const entry = this.#find(peer, name)
    if (entry === undefined) return { kind: 'none' }
    if (entry.peer === peer) return { kind: 'own', binder: entry.binder }
    const turn = this.#waiting.turn(entry.binder, peer)
    return turn === undefined ? open(entry, peer) : turn.then(() => this.#findAfterTurn(peer, name, entry.peer))
  }

  /** Meanwhile its holder may have published another object, or be gone; and another one, with a line of its own, may have the name. */
  #findAfterTurn(peer: Peer, name: string | null, holder: Peer): FoundService | Promise<FoundService> {
    const entry = this.#find(peer, name)
    return entry?.peer === holder ? open(entry, peer) : this.find(peer, name)
  }

  list(peer: Peer, dumpPriority: number): string[] {
    for (const holder of this.#namesOf.keys()) this.#checkAlive(holder)
    this.#sortedNames ??= [...this.#entries.keys()].sort()
    const isWanted = (name: string) => ((this.#entries.get(name)?.dumpPriority ?? 0) & dumpPriority) !== 0
    return this.#sortedNames.filter((name) => isWanted(name) && this.#maySee(peer, name))
  }

  info(peer: Peer, name: string | null): ServiceInfo | null {
    const entry = this.#find(peer, name)
    return entry === undefined ? null : { ...entry.peer.caller, dumpPriority: entry.dumpPriority }
  }

  /** Tells `callback` of every registration of the name; at once when it is there. */
  notify(peer: Peer, name: string | null, callback: IBinder | null): void {
    checkName(name)
    if (callback === null) throw withoutStack(() => new NullPointerError('Null callback'))
    const notification = { peer, name, callback }
    this.#notifications.add(notification)
    this.#use(callback, 1)
    if (this.#entryOf(name) !== undefined) this.#tell(notification)
  }

  /** Removes every registration of this callback for the name. */
  unnotify(peer: Peer, name: string | null, callback: IBinder | null): void {
    const all = [...this.#notifications.ofPeer(peer)]
    const going = all.filter((each) => each.name === name && each.callback === callback)
    if (going.length === 0)
      throw withoutStack(() => new IllegalStateError('this callback is not registered for that name'))
    for (const notification of going) this.#forget(notification)
  }

  /** Gives an object back to the peer it came from, whose process it keeps alive, unless it is still needed here. */
  letGo(object: IBinder | null): void {
    if (object instanceof BinderProxy && !this.#uses.has(object)) object.close()
  }

  /** A connection is gone, and with it all that it had. Again, if it is asked for something after that. */
  remove(peer: Peer): void {
    const names = [...(this.#namesOf.get(peer) ?? [])]
    this.#namesOf.delete(peer)
    for (const name of names) {
      this.#delete(name)
      peer.account.refund('names')
    }
    for (const notification of [...this.#notifications.ofPeer(peer)]) this.#forget(notification)
    this.#waiting.leave(peer)
  }

  /** The name is not this holder's any more. */
  #take(name: string, holder: Peer): void {
    const names = this.#namesOf.get(holder)
    names?.delete(name)
    if (names?.size === 0) this.#namesOf.delete(holder)
  }

  #delete(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#use(entry.binder, -1)
    this.#sortedNames = null
  }

  #forget(notification: Notification): void {
    this.#notifications.remove(notification)
    this.#use(notification.callback, -1)
  }

  #use(object: IBinder, change: 1 | -1): void {
    const uses = (this.#uses.get(object) ?? 0) + change
    if (uses === 0) this.#uses.delete(object)
    else this.#uses.set(object, uses)
  }

  #find(peer: Peer, name: string | null): Entry | undefined {
    return name !== null && this.#maySee(peer, name) ? this.#entryOf(name) : undefined
  }

  #entryOf(name: string): Entry | undefined {
    const entry = this.#entries.get(name)
    if (entry !== undefined) this.#checkAlive(entry.peer)
    return this.#entries.get(name)
  }

  /**
   * Whoever asks may have heard of a holder's death, and the hub may bring the question before it brings the death: an
   * epoll(7) that has just told of the asker tells of it first again.
   */
  #checkAlive(holder: Peer): void {
    if (holder.hasHungUp()) this.remove(holder)
  }

  /** The holder of a name can see it. */
  #maySee(peer: Peer, name: string): boolean {
    return this.#entries.get(name)?.peer === peer || this.#allows('find', peer, name)
  }

  #allows(action: Action, { caller, groups }: Peer, name: string): boolean {
    return this.#access.allows(action, name, { uid: caller.uid, groups })
  }

  /** A callback that cannot be told does not read, or is dying: its connection's end is the news it gets. */
  #tell({ peer, callback, name }: Notification): void {
    if (!this.#maySee(peer, name)) return
    Promise.resolve(IServiceCallback.asInterface(callback).onRegistration(name)).catch(() => undefined)
  }
}

function open({ peer: holder, binder, acceptsFileDescriptors }: Entry, client: Peer): FoundService {
  return openChannel(binder, { holder: holder.caller, client: client.caller, acceptsFileDescriptors })
}

/**
 * Also over another connection, because each thread has its own. Pid 0 means another namespace, and could be any
 * process.
 */
function isSameProcess(a: Peer, b: Peer): boolean {
  return a === b || (a.caller.pid === b.caller.pid && a.caller.uid === b.caller.uid && a.caller.pid !== 0)
}

function checkName(name: string | null): asserts name is string {
  if (!isServiceName(name)) {
    throw withoutStack(
      () =>
        new InvalidArgValueError(
          `a service's name must be 1 to 127 characters of a-z A-Z 0-9 _ - . /, got ${show(name)}`,
        ),
    )
  }
}
