/** dbus-native takes any stream that has `writeWithFds` and tells of `fds`, from version 0.13 on. */
import { connectUnixStream } from 'memfd-native'
import { fileOf, SHOUT, textOf } from './shout.mjs'

/** @param dbus the library @param busPath the socket of the bus */
export async function shoutByDbusNative(dbus, busPath, text) {
  const bus = dbus.createClient({ stream: connectUnixStream(busPath) })
  const file = fileOf(text)
  try {
    // dbus-daemon loses descriptors that come before it has taken the handshake: something is answered first.
    await answered(bus)
    // In a message a descriptor is its place in `fds`.
    const { body, fds } = await invoke(bus, { ...SHOUT, body: [0], fds: [file.fd] })
    return [body[0], textOf(fds[body[1]])]
  } finally {
    file.close()
    bus.connection.end()
  }
}

function answered(bus) {
  return new Promise((resolve, reject) => bus.getId((error) => (error ? reject(error) : resolve())))
}

/** The whole answer, with its descriptors. */
function invoke(bus, message) {
  return new Promise((resolve, reject) => {
    bus.invoke(message, function (error) {
      if (error) reject(error)
      else resolve(this.message)
    })
  })
}
