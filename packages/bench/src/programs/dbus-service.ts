/** A service on a bus, by dbus-next. Words: FOLDER-OF-DBUS-NEXT ADDRESS. */
import { openSync } from 'node:fs'
import { loadDBus, NAME } from './dbus.ts'

const [folder = '', busAddress = ''] = process.argv.slice(2)
const { Message, sessionBus } = loadDBus(folder)
const bus = sessionBus({ busAddress, negotiateUnixFd: true })
const descriptor = openSync('/dev/null', 'r')
let value = 0

await bus.requestName(NAME, 0)
bus.addMethodHandler((call) => {
  if (call.member === 'Set') value = call.body[0] as number
  else if (call.member === 'GetDescriptor') {
    bus.send(Message.newMethodReturn(call, 'h', [descriptor]))
    return true
  } else if (call.member !== 'Get') return false
  bus.send(Message.newMethodReturn(call, 'i', [value]))
  return true
})
process.stdout.write('ready\n')
