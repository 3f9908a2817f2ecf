/** Calls over a bus, by dbus-next. Words: FOLDER-OF-DBUS-NEXT ADDRESS. */
import { closeSync, fstatSync } from 'node:fs'
import { type Bus, loadDBus, NAME, PATH } from './dbus.ts'
import { serveSamples, timeCalls, timeThroughput, verify } from './samples.ts'

const [folder = '', busAddress = ''] = process.argv.slice(2)
const { Message, sessionBus } = loadDBus(folder)
const bus = open()

function open(): Bus {
  return sessionBus({ busAddress, negotiateUnixFd: true })
}

async function call(on: Bus, member: string, signature: string, body: readonly unknown[]): Promise<number> {
  const message = new Message({ destination: NAME, path: PATH, interface: NAME, member, signature, body })
  return (await on.call(message)).body[0] as number
}

const set = (i: number) => call(bus, 'Set', 'i', [i])

async function handOver(): Promise<void> {
  closeSync(await call(bus, 'GetDescriptor', '', []))
}

async function attach(): Promise<Bus> {
  const fresh = open()
  await call(fresh, 'Get', '', [])
  return fresh
}

verify((await set(42)) === 42, 'the answer has the value')
const descriptor = await call(bus, 'GetDescriptor', '', [])
verify(fstatSync(descriptor).isCharacterDevice(), 'the descriptor is the one of the service')
closeSync(descriptor)

await serveSamples({
  set: (milliseconds) => timeCalls(milliseconds, set),
  pipelined: (milliseconds) => timeThroughput(milliseconds, set),
  attach: (milliseconds) => timeCalls(milliseconds, attach, (fresh) => fresh.disconnect()),
  'hand-over': (milliseconds) => timeCalls(milliseconds, handOver),
})
