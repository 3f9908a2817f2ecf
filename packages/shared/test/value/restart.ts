/** A value over the deaths of its service: it goes on with the next region by itself, and says when it is out of date. */
import t, { type Test } from 'tap'
import { OwnedValue, type ServiceManager, SharedValue } from '../../src/index.ts'
import { connect, type Daemon, leakChecked, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** Resolves when it is called. */
function heard(): { callback: () => void; called: Promise<void> } {
  let callback = (): void => {}
  const called = new Promise<void>((resolve) => {
    callback = resolve
  })
  return { callback: () => callback(), called }
}

async function start(t: Test): Promise<Daemon & { manager: ServiceManager; value: SharedValue }> {
  const daemon = await startRegistry(t, { command: 'start' })
  const manager = await connect(t, daemon.registry)
  const value = await SharedValue.open(manager)
  t.teardown(() => value.close())
  return { ...daemon, manager, value }
}

/** As after `kill -9` and a restart by systemd, twice. */
async function restart(t: Test, { program, registry }: Daemon): Promise<Daemon> {
  await program.destroy()
  return startRegistry(t, { command: 'start', registry })
}

t.test('it goes on with the next region by itself, again and again, and says so', async (t) => {
  const { value, ...first } = await start(t)
  let daemon: Daemon = first
  for (const number of [1, 2, 3]) {
    await value.set(number)
    const [stale, live] = [heard(), heard()]
    value.onStale = stale.callback
    value.onLive = live.callback
    await daemon.program.destroy()
    await stale.called
    t.same([value.get(), value.isLive], [number, false], 'the last value, and that it is the last one')
    await t.rejects(value.set(0), { code: 'ERR_DEAD_OBJECT' })
    daemon = await startRegistry(t, { command: 'start', registry: daemon.registry })
    await live.called
    t.same([value.get(), value.isLive], [0, true])
  }
  await value.set(77)
  t.equal(value.get(), 77)
})

t.test('while this process does not come to its event loop it knows too', async (t) => {
  const { value, program } = await start(t)
  process.kill(program.pid, 'SIGKILL')
  while (value.isLive);
  t.equal(value.isLive, false)
  await program.ending
})

t.test('a loop over changes goes on, and gives what the service that came back has', async (t) => {
  const { value, ...first } = await start(t)
  let daemon: Daemon = first
  await value.set(5)
  const seen: number[] = []
  const changes = value.changes()
  const next = async () => seen.push((await changes.next()).value as number)
  await next()
  for (const number of [6, 7]) {
    const pending = next()
    daemon = await restart(t, daemon)
    await pending
    const change = next()
    await value.set(number)
    await change
  }
  t.same(seen, [5, 0, 6, 0, 7])
  await changes.return()
})

t.test('two loops, one of which ends with the service', async (t) => {
  const { value, ...daemon } = await start(t)
  await value.set(5)
  const [lasting, ending] = [value.changes(), value.changes({ endOnDeath: true })]
  await Promise.all([lasting.next(), ending.next()])
  const [change, end] = [lasting.next(), ending.next()]
  await daemon.program.destroy()
  await t.rejects(end, { code: 'ERR_DEAD_OBJECT' })
  t.same(await ending.next(), { done: true, value: undefined })
  await startRegistry(t, { command: 'start', registry: daemon.registry })
  t.same(await change, { done: false, value: 0 })
  await lasting.return()
})

t.test('a signal, return() and close() end a loop whose service is away', async (t) => {
  const { value, program } = await start(t)
  const aborter = new AbortController()
  const loops = [value.changes({ signal: aborter.signal }), value.changes(), value.changes()] as const
  for (const loop of loops) await loop.next()
  const waiting = loops.map((loop) => loop.next())
  const stale = heard()
  value.onStale = stale.callback
  await program.destroy()
  await stale.called
  aborter.abort()
  t.same(await waiting[0], { done: true, value: undefined })
  await loops[1].return()
  t.same(await waiting[1], { done: true, value: undefined })
  value.close()
  await t.rejects(() => waiting[2] as Promise<unknown>, { code: 'ERR_DEAD_OBJECT' })
})

t.test('a publisher that is replaced by another process is followed', async (t) => {
  const { registry } = await startRegistry(t)
  const owner = new OwnedValue({ initialValue: 1 })
  const publisher = await connect(t, registry)
  await publisher.addService('value', owner.binder)
  const client = await connect(t, registry)
  const value = await SharedValue.open(client, 'value')
  t.teardown(() => value.close())
  t.equal(value.get(), 1)
  owner.close()
  publisher.close()
  t.equal(value.get(), 1, 'it is not dead: its process keeps the channel')
})

t.test('it is closed while it is looked for', async (t) => {
  const { value, program, registry } = await start(t)
  const stale = heard()
  value.onStale = stale.callback
  await program.destroy()
  await stale.called
  value.close()
  const again = await startRegistry(t, { command: 'start', registry })
  t.equal(value.isLive, false)
  t.throws(() => value.get(), { code: 'ERR_DEACTIVATED' })
  await again.program.destroy()
})

t.test('nobody looks for it any more when it is closed', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connect(t, registry)
  const open = async (name: string) => {
    const { program } = await startRegistry(t, { command: 'start', registry, args: ['--name', name] })
    const value = await SharedValue.open(manager, name)
    t.teardown(() => value.close())
    const stale = heard()
    value.onStale = stale.callback
    return { value, gone: () => program.destroy().then(() => stale.called) }
  }
  const closed = await open('closed')
  const other = await open('other')
  await Promise.all([closed.gone(), other.gone()])
  closed.value.close()
  const names: string[] = []
  const often = heard()
  const { getService } = manager
  manager.getService = (name, options) => {
    names.push(name)
    if (names.filter((name) => name === 'other').length === 5) often.callback()
    return getService.call(manager, name, options)
  }
  await often.called
  t.same(new Set(names), new Set(['other']))
})

t.test('a callback that throws is a warning, and it goes on all the same', async (t) => {
  const { value, ...daemon } = await start(t)
  value.onStale = () => {
    throw new Error('in onStale')
  }
  const live = heard()
  value.onLive = live.callback
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  await restart(t, daemon)
  t.match((await warned).message, /onStale of a value threw: Error: in onStale/)
  await live.called
  t.equal(value.isLive, true)
})

t.test('nothing of a region that is gone stays open', async (t) => {
  const { value, ...daemon } = await start(t)
  const { file } = value
  const live = heard()
  value.onLive = live.callback
  await restart(t, daemon)
  await live.called
  t.equal(file.isDeactivated(), true)
  t.not(value.file, file)
})
