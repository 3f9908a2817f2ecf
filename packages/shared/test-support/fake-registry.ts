/** A registry of a test's own: knows the binders that it was given, refuses what it is told to, and brings ends of channels. */
import { accept, bind, constants, FdWatcher, listen, type OwnedFd, socket } from 'memfd-native'
import type { Test } from 'tap'
import { BinderProxy } from '../src/binder/binder-proxy.ts'
import type { ImplementationOf } from '../src/binder/interface.ts'
import { Session } from '../src/binder/session.ts'
import { makeChannelPair } from '../src/channel/channel-pair.ts'
import type { IBinder } from '../src/parcel/ibinder.ts'
import { sendAttachment } from '../src/service-manager/attachment.ts'
import { IServiceManager } from '../src/service-manager/registry-interface.ts'
import type { ChannelPolicy } from '../src/service-manager/registry-link.ts'
import { findRegistry } from '../src/service-manager/registry-path.ts'
import { ServiceManager } from '../src/service-manager/service-manager.ts'
import { nodeFs, nodeOs, nodePath } from './node.ts'

const uid = process.getuid?.() ?? 0
const CLIENT = { pid: process.pid, uid }

/** Gives back what it does not keep, as the daemon's does. */
class FakeRegistry extends IServiceManager.Stub implements Partial<ImplementationOf<typeof IServiceManager>> {
  /** What everything is refused with. */
  refusal: (() => Error) | null = null
  /** What is refused is kept all the same, under its name. */
  keepsRefused = false
  readonly services = new Map<string | null, IBinder | null>()
  readonly callbacks = new Map<string | null, IBinder | null>()

  addService(name: string | null, binder: IBinder | null): void {
    this.#keep(this.services, name, binder)
  }

  registerForNotifications(name: string | null, callback: IBinder | null): void {
    this.#keep(this.callbacks, name, callback)
  }

  unregisterForNotifications(name: string | null, callback: IBinder | null): void {
    this.callbacks.delete(name)
    this.#letGo(callback)
  }

  getCallerUid(): number {
    return uid
  }

  #keep(kept: Map<string | null, IBinder | null>, name: string | null, object: IBinder | null): void {
    if (this.refusal === null || this.keepsRefused) {
      const before = kept.get(name) ?? null
      kept.set(name, object)
      this.#letGo(before)
    }
    if (this.refusal === null) return
    this.#letGo(object)
    throw this.refusal()
  }

  #letGo(object: IBinder | null): void {
    const isKept = [...this.services.values(), ...this.callbacks.values()].includes(object)
    if (object instanceof BinderProxy && !isKept) object.close()
  }
}

/** A manager that is connected to one. Both end with the test. */
export async function fakeRegistry(t: Test, policy: ChannelPolicy = {}) {
  const folder = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => nodeFs.rmSync(folder, { recursive: true }))
  const path = nodePath.join(folder, 'registry.sock')
  const listener = socket(constants.SOCK_SEQPACKET)
  t.teardown(() => listener.close())
  bind(listener, path)
  listen(listener)
  const manager = await ServiceManager.connectTo(findRegistry({ path }), policy)
  t.teardown(() => manager.close())
  const registry = new FakeRegistry()
  const end = accept(listener) as OwnedFd
  const session = new Session(end, {
    role: 'server',
    root: registry,
    peerAcceptsFileDescriptors: true,
    caller: CLIENT,
  })
  t.teardown(() => session.close())
  return { manager, registry }
}

/** Brings the binder the end of a new channel. @returns the client's, which is closed with the test */
export function bringChannel(t: Test, binder: IBinder | null | undefined): OwnedFd {
  const { server, client } = makeChannelPair(false)
  t.teardown(() => client.close())
  sendAttachment(binder as IBinder, { client: CLIENT, end: server }, false)
  return client
}

/** The other side has closed its end. */
export function otherEndClosed(end: OwnedFd): Promise<void> {
  return new Promise((resolve) => {
    const watcher = new FdWatcher(end, 'readable', () => {
      watcher.close()
      resolve()
    })
  })
}
