/**
 * Which callbacks wait for which names. It can be searched by name and by peer, so that the cost of one peer does not
 * depend on how many others there are.
 */
import type { IBinder } from '@memsvc/shared'
import type { Peer } from './peer.ts'

export interface Notification {
  readonly peer: Peer
  readonly name: string
  readonly callback: IBinder
}

export class Notifications {
  readonly #byName = new Map<string, Set<Notification>>()
  readonly #byPeer = new Map<Peer, Set<Notification>>()

  /** Twice is twice. @throws ERR_LIMIT */
  add(notification: Notification): void {
    const { peer, name } = notification
    peer.account.charge('notifications')
    addTo(this.#byName, name, notification)
    addTo(this.#byPeer, peer, notification)
  }

  ofName(name: string): Iterable<Notification> {
    return this.#byName.get(name) ?? []
  }

  ofPeer(peer: Peer): Iterable<Notification> {
    return this.#byPeer.get(peer) ?? []
  }

  remove(notification: Notification): void {
    const { peer, name } = notification
    removeFrom(this.#byName, name, notification)
    removeFrom(this.#byPeer, peer, notification)
    peer.account.refund('notifications')
  }
}

function addTo<K>(index: Map<K, Set<Notification>>, key: K, notification: Notification): void {
  const found = index.get(key)
  if (found === undefined) index.set(key, new Set([notification]))
  else found.add(notification)
}

function removeFrom<K>(index: Map<K, Set<Notification>>, key: K, notification: Notification): void {
  const found = index.get(key)
  found?.delete(notification)
  if (found?.size === 0) index.delete(key)
}
