/** What systemd is told, by a listener in its place. The real one is in box.ts. */

import { createRequire } from 'node:module'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

/** Another program's datagram sockets: what they receive is what went over the wire. The package has no types. */
const unixDgram = createRequire(import.meta.url)('unix-dgram') as {
  createSocket(type: 'unix_dgram'): support.nodeEvents.EventEmitter & { bind(path: string): void; close(): void }
}

function temporaryPath(t: Test): string {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true }))
  return support.nodePath.join(folder, 'notify')
}

interface Told {
  watchdogMs?: number
  status?: () => string
}

function notifierTo(t: Test, path: string, { watchdogMs, status = () => 'fine' }: Told = {}): support.ServiceNotifier {
  const socket = support.NotifySocket.take({ NOTIFY_SOCKET: path })
  const notifier = new support.ServiceNotifier({ socket, watchdogMs: watchdogMs ?? null, status })
  t.teardown(() => notifier.stopping())
  return notifier
}

t.test('ready, reloading and stopping are told with the status', async (t) => {
  const path = temporaryPath(t)
  const listener = new support.NotifyListener(t, path)
  const notifier = notifierTo(t, path)
  notifier.ready()
  t.strictSame((await listener.next()).lines, ['READY=1', 'STATUS=fine'])
  const before = process.hrtime.bigint() / 1000n
  notifier.reloading()
  const [reloading, time] = (await listener.next()).lines
  t.equal(reloading, 'RELOADING=1')
  const [name, microseconds] = (time ?? '').split('=')
  t.equal(name, 'MONOTONIC_USEC')
  t.ok(BigInt(microseconds ?? 0) >= before && BigInt(microseconds ?? 0) <= process.hrtime.bigint() / 1000n)
  notifier.ready()
  t.strictSame((await listener.next()).lines, ['READY=1', 'STATUS=fine'])
  notifier.stopping()
  t.strictSame((await listener.next()).lines, ['STOPPING=1', 'STATUS=stopping'])
})

t.test('a receiver that is not ours understands it too', async (t) => {
  const path = temporaryPath(t)
  const receiver = unixDgram.createSocket('unix_dgram')
  t.teardown(() => receiver.close())
  receiver.bind(path)
  const message = support.nodeEvents.once(receiver, 'message')
  notifierTo(t, path).ready()
  const [bytes] = (await message) as [Buffer]
  t.equal(bytes.toString(), 'READY=1\nSTATUS=fine')
})

t.test('an abstract address is told too', async (t) => {
  const name = `memsvc-test-${process.pid}`
  const listener = new support.NotifyListener(t, `\0${name}`)
  notifierTo(t, `@${name}`).ready()
  t.strictSame((await listener.next()).lines, ['READY=1', 'STATUS=fine'])
})

t.test('changes of the counts come as one status with the last of them, and only once it is ready', async (t) => {
  const path = temporaryPath(t)
  const listener = new support.NotifyListener(t, path)
  let count = 0
  const notifier = notifierTo(t, path, { status: () => `count ${count}` })
  notifier.changed()
  notifier.ready()
  t.strictSame((await listener.next()).lines, ['READY=1', 'STATUS=count 0'])
  for (count = 1; count < 1000; count++) notifier.changed()
  t.strictSame((await listener.next()).lines, ['STATUS=count 1000'])
})

t.test('signs of life come again and again while the event loop turns', async (t) => {
  const path = temporaryPath(t)
  const listener = new support.NotifyListener(t, path)
  const keepAlive = setInterval(() => undefined, 1000) // the signs alone keep no process running
  t.teardown(() => clearInterval(keepAlive))
  notifierTo(t, path, { watchdogMs: 20 }).ready()
  await listener.find('READY=1')
  for (let i = 0; i < 3; i++) t.strictSame((await listener.next()).lines, ['WATCHDOG=1'])
})

t.test('without a socket nothing is told, and nothing fails', async (t) => {
  const socket = support.NotifySocket.take({})
  t.equal(socket, null)
  const notifier = new support.ServiceNotifier({ socket, watchdogMs: 1, status: () => 'fine' })
  notifier.ready()
  notifier.changed()
  notifier.reloading()
  notifier.stopping()
})

t.test('a socket that nobody listens at is no error', async (t) => {
  notifierTo(t, temporaryPath(t)).ready()
  notifierTo(t, '@memsvc-test-nobody').ready()
})

t.test('the variables are taken, so no child has them', async (t) => {
  const env = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1', OTHER: 'stays' }
  support.NotifySocket.take(env)
  support.takeWatchdogLimit(env, process.pid)
  t.strictSame(env, { OTHER: 'stays' })
})

const limits: [string, NodeJS.ProcessEnv, number | null][] = [
  ['for this process', { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '42' }, 3000],
  ['for any process', { WATCHDOG_USEC: '3000000' }, 3000],
  ['for another process', { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '43' }, null],
  ['not there', {}, null],
  ['zero', { WATCHDOG_USEC: '0' }, null],
  ['no number', { WATCHDOG_USEC: 'soon' }, null],
]
for (const [name, env, expected] of limits) {
  t.test(`a watchdog that is ${name}: ${expected} ms`, async (t) => {
    t.equal(support.takeWatchdogLimit({ ...env }, 42), expected)
  })
}

t.test('after the end has been told nothing else is: no sign of life, no counts', async (t) => {
  const path = temporaryPath(t)
  const listener = new support.NotifyListener(t, path)
  const notifier = notifierTo(t, path, { watchdogMs: 4 })
  notifier.ready()
  await listener.find('WATCHDOG=1')
  notifier.changed()
  notifier.stopping()
  await listener.find('STOPPING=1')
  notifier.changed()
  const end = performance.now() + 300 // longer than counts are held back
  while (performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
  support.NotifySocket.take({ NOTIFY_SOCKET: path })?.send('LAST=1')
  t.strictSame((await listener.next()).lines, ['LAST=1'])
})
