/** `memclient watch`: every change that settles, over restarts, until it is interrupted. */
import { writeSync } from 'node:fs'
import { MemoryFile, ParcelFileDescriptor } from '@memsvc/shared'
import { leakChecked, type Program, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { daemonStatus, memclient, publish, startMemclient, startMemsvc } from '../../test-support/index.ts'

/** Bytes that a pipe holds, pipe(7). */
const PIPE_BYTES = 65_536

watchdog(t)
leakChecked(t)

async function write(registry: string, value: number): Promise<void> {
  const { code, stderr } = await memclient(registry, ['write', String(value)])
  if (code !== 0) throw new Error(`write ${value}: ${stderr}`)
}

/** Until the watcher says so: from then on it waits for a service, and for nothing else. */
function noticedDeath(watcher: Program): Promise<string | null> {
  return watcher.stderr.find((line) => line.endsWith('is gone, waiting for it to come back'))
}

t.test('the value now comes first, then one line per change', async (t) => {
  const { registry } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  t.equal(await watcher.stdout.next(), '0')
  for (const value of [42, -1, 2147483647, -2147483648]) {
    await write(registry, value)
    t.equal(await watcher.stdout.next(), String(value))
  }
})

t.test('setting the value that it has is no change', async (t) => {
  const { registry } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch', '--json'])
  t.equal(await watcher.stdout.next(), '{"name":"AnonymousSharedMemory","value":0}')
  for (const value of [0, 5, 5, 6]) await write(registry, value)
  t.equal(await watcher.stdout.find((line) => line.includes('6')), '{"name":"AnonymousSharedMemory","value":6}')
  t.equal(watcher.stdout.text.split('\n').length, 3, '0, 5, 6')
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} is the regular end`, async (t) => {
    const { registry } = await startMemsvc(t)
    const watcher = startMemclient(t, registry, ['watch'])
    await watcher.stdout.next()
    watcher.kill(signal)
    t.match(await watcher.ending, {
      code: 0,
      signal: null,
      stdout: /^0$/,
      stderr: /^(memclient: watching \S+ at \S+)?$/,
    })
  })
}

t.test('the watch goes on with the next daemon after a kill -9, and tells the last word of the dead one', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  t.equal(await watcher.stdout.next(), '0')
  for (let round = 1, daemon = program; round <= 3; round++) {
    await write(registry, round)
    await daemon.destroy()
    t.equal(await watcher.stdout.next(), String(round))
    await noticedDeath(watcher)
    daemon = (await startMemsvc(t, { registry })).program
    t.equal(await watcher.stdout.next(), '0', 'the value of the new daemon')
  }
})

t.test('the watch goes on when only the service is started again', async (t) => {
  const { registry } = await startMemsvc(t, { args: ['--name', 'host'] })
  const { program } = await startMemsvc(t, { registry })
  const watcher = startMemclient(t, registry, ['watch'])
  t.equal(await watcher.stdout.next(), '0')
  await write(registry, 1)
  t.equal(await watcher.stdout.next(), '1')
  await program.destroy()
  await noticedDeath(watcher)
  await startMemsvc(t, { registry })
  t.equal(await watcher.stdout.next(), '0')
})

t.test('a watch that waits for a daemon can be interrupted', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  await watcher.stdout.next()
  await program.destroy()
  await noticedDeath(watcher)
  watcher.kill('SIGTERM')
  t.match(await watcher.ending, { code: 0, signal: null })
})

t.test('a watch of a daemon that is stopped can be interrupted', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  await watcher.stdout.next()
  program.kill('SIGSTOP')
  watcher.kill('SIGTERM')
  t.match(await watcher.ending, { code: 0, signal: null })
})

t.test('20 watchers see the last value, and the next daemon', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watchers = Array.from({ length: 20 }, () => startMemclient(t, registry, ['watch']))
  await Promise.all(watchers.map((watcher) => watcher.stdout.next()))
  for (const value of [1, 2, 3]) await write(registry, value)
  const seen = await Promise.all(watchers.map((watcher) => watcher.stdout.find((line) => line === '3')))
  t.strictSame(seen, Array(20).fill('3'))
  await program.destroy()
  await startMemsvc(t, { registry })
  await Promise.all(watchers.map((watcher) => watcher.stdout.find((line) => line === '0')))
  await write(registry, 4)
  t.strictSame(await Promise.all(watchers.map((watcher) => watcher.stdout.next())), Array(20).fill('4'))
})

t.test('--count and --until end it', async (t) => {
  const { registry } = await startMemsvc(t)
  const counting = startMemclient(t, registry, ['watch', '--count', '2'])
  const waiting = startMemclient(t, registry, ['watch', '--until', '-7'])
  for (const watcher of [counting, waiting]) t.equal(await watcher.stdout.next(), '0')
  await write(registry, 5)
  t.match(await counting.ending, { code: 0, signal: null, stdout: '0\n5' })
  await write(registry, -7)
  t.match(await waiting.ending, { code: 0, signal: null, stdout: /^0\n(5\n)?-7$/ })
  t.match(await memclient(registry, ['watch', '--count', '1']), { code: 0, stdout: '-7' })
  t.match(await memclient(registry, ['watch', '--until', '-7']), { code: 0, stdout: '-7' })
  for (const args of [
    ['--count', '0'],
    ['--until', 'x'],
  ]) {
    t.match(await memclient(registry, ['watch', ...args]), { code: 2, stdout: '' })
  }
})

t.test('a reader that goes away ends the watch at once, silently, with no change to tell', async (t) => {
  const { registry } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  await watcher.stdout.next()
  watcher.closeStdout()
  t.match(await watcher.ending, { code: 0, signal: null, stderr: /^(memclient: watching \S+ at \S+)?$/ })
})

t.test('a reader that sleeps keeps neither the daemon from working nor the watch from ending', async (t) => {
  const { registry } = await startMemsvc(t)
  const [source, sink] = ParcelFileDescriptor.createPipe()
  t.teardown(() => source.close())
  writeSync(sink.getFd(), Buffer.alloc(PIPE_BYTES))
  const watcher = startMemclient(t, registry, ['watch'], { stdout: sink.getFd() })
  sink.close()
  while ((await daemonStatus(registry)).watchers === 0);
  await write(registry, 1)
  watcher.kill('SIGTERM')
  t.match(await watcher.ending, { code: 0, signal: null, stderr: /^(memclient: watching \S+ at \S+)?$/ })
})

t.test('a service that cannot be watched is said to be one', async (t) => {
  const { registry } = await startMemsvc(t)
  using file = new MemoryFile('own', 4)
  await publish(t, registry, 'own', { getFileDescriptor: () => file.shareReadOnly() })
  t.match(await memclient(registry, ['watch', 'own']), { code: 1, stdout: '', stderr: /cannot be watched/ })
})
