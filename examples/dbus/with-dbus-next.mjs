/** dbus-next looks for the package usocket, in whose place memfd-native is installed: package.json of README.md. */
import { once } from 'node:events'
import { fileOf, SHOUT, textOf } from './shout.mjs'

/** @param dbus the library @param busPath the socket of the bus */
export async function shoutByDbusNext(dbus, busPath, text) {
  const bus = dbus.sessionBus({ busAddress: `unix:path=${busPath}`, negotiateUnixFd: true })
  const file = fileOf(text)
  try {
    // dbus-daemon loses descriptors that come before it has taken the handshake.
    await once(bus, 'connect')
    // In a message a descriptor is its number.
    const { body } = await bus.call(new dbus.Message({ ...SHOUT, body: [file.fd] }))
    return [body[0], textOf(body[1])]
  } finally {
    file.close()
    bus.disconnect()
  }
}
