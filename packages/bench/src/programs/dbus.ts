/** The part of dbus-next that the service and the client use. */
import { loadPeer } from './peer.ts'

export const NAME = 'org.memsvc.Bench'
export const PATH = '/org/memsvc/Bench'

export interface Message {
  readonly member: string
  readonly body: readonly unknown[]
}

interface MessageClass {
  new (fields: object): Message
  newMethodReturn(call: Message, signature: string, body: readonly unknown[]): Message
}

export interface Bus {
  requestName(name: string, flags: number): Promise<number>
  addMethodHandler(handler: (message: Message) => boolean): void
  call(message: Message): Promise<Message>
  send(message: Message): void
  disconnect(): void
}

export interface DBus {
  readonly Message: MessageClass
  sessionBus(options: { busAddress: string; negotiateUnixFd: boolean }): Bus
}

export function loadDBus(folder: string): DBus {
  return loadPeer<DBus>(folder, 'dbus-next')
}
