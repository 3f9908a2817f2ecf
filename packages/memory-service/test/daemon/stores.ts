/** The stores of a daemon: what it publishes, what it goes on without, and what it ends when a name is another's. */
import { Binder, errorCode, IllegalStateError, IStore, LimitError, SecurityError } from '@memsvc/shared'
import { areaTypes } from 'memfd-native'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const uid = process.getuid?.() ?? 0
const SMALL = { capacity: 1024 * 1024, maxKeys: 64, maxValueBytes: 1024 }
const small = (name: string) => ({ ...support.plainStore(name), ...SMALL })

function daemon(t: Test, ...names: string[]) {
  const lines: Record<string, unknown>[] = []
  const logger = pino({ base: null, timestamp: false }, { write: (line) => lines.push(JSON.parse(line)) })
  const areas = new support.KeptAreas(support.NotifySocket.take({}), [], logger)
  const keeping = new support.Keeping({ areas, folder: null, sync: 'behind', logger, onProgress: () => undefined })
  t.teardown(() => keeping.close())
  const ended: Binder[] = []
  const stores = new support.Stores({
    stores: names.map(small),
    access: new support.Access(uid, { rules: [], writers: new support.People() }),
    control: new Binder(),
    keeping,
    endChannels: (service) => ended.push(service),
    logger,
  })
  t.teardown(() => stores.close())
  const published = new Map<string, Binder>()
  let refusal: ((name: string) => Error | null) | null = null
  const publish = async (name: string, binder: Binder) => {
    await null
    const error = refusal?.(name) ?? null
    if (error !== null) throw error
    published.set(name, binder)
  }
  const refuse = (how: typeof refusal) => {
    refusal = how
  }
  const served = () => stores.status.map(({ name }) => name)
  return { stores, publish, published, refuse, served, ended, lines }
}

t.test('all of them are published, one after the other, and closed together', async (t) => {
  const { stores, publish, published, served, ended, lines } = daemon(t, 'a', 'b')
  await stores.publish(publish)
  t.strictSame([...published.keys()], ['a', 'b'])
  t.strictSame(served(), ['a', 'b'])
  stores.close()
  t.strictSame(served(), [])
  t.strictSame([ended, lines], [[], []])
})

for (const refused of [
  new IllegalStateError('the name a is held by process 7'),
  new SecurityError('uid 1 may not add "a" here'),
  new LimitError('names', 1, 1),
]) {
  t.test(`without one whose name it may not have, it goes on: ${errorCode(refused)}`, async (t) => {
    const { stores, publish, published, refuse, served, ended, lines } = daemon(t, 'a', 'b')
    refuse((name) => (name === 'a' ? refused : null))
    await stores.publish(publish)
    t.strictSame([...published.keys()], ['b'])
    t.strictSame(served(), ['b'])
    t.equal(ended.length, 1, 'nobody is left with it')
    t.match(lines, [{ level: 40, name: 'a', reason: refused.message }])
    t.equal(stores.lose('a', refused), false, 'it is none of ours any more')
    t.equal(lines.length, 1)
  })
}

t.test('other errors are reported, and the store is not published', async (t) => {
  const { stores, publish, refuse, served, ended, lines } = daemon(t, 'a')
  refuse(() => new Error('the registry is gone'))
  await t.rejects(stores.publish(publish), { message: 'the registry is gone' })
  t.strictSame(served(), [])
  t.equal(ended.length, 1)
  t.strictSame(lines, [])
})

t.test('a name that another process got ends its store, and no other', async (t) => {
  const { stores, publish, published, served, ended, lines } = daemon(t, 'a', 'b')
  await stores.publish(publish)
  t.equal(stores.lose('none', new Error('x')), false)
  t.strictSame([ended, lines], [[], []])
  t.equal(stores.lose('a', new IllegalStateError('held by process 7')), true)
  t.strictSame(ended, [published.get('a')])
  t.strictSame(served(), ['b'])
  t.match(lines, [{ level: 50, name: 'a', reason: 'held by process 7' }])
  t.equal(stores.lose('a', new Error('again')), false)
})

t.test('a reload whose values do not fit has published and closed nothing', async (t) => {
  const { stores, publish, published, served } = daemon(t, 'a', 'b')
  await stores.publish(publish)
  published.clear()
  const tooSmall = { ...small('a'), capacity: 1 }
  await t.rejects(stores.configure([small('new'), tooSmall], publish), { code: 'ERR_OUT_OF_RANGE' })
  t.strictSame([...published.keys()], [])
  t.strictSame(served(), ['a', 'b'])
})

t.test('a reload that one store refuses changes none, and names it', async (t) => {
  const { stores, publish, published } = daemon(t, 'a', 'b')
  await stores.publish(publish)
  const flags = IStore.asInterface(published.get('b') ?? null)
  for (const key of ['x', 'y']) await flags?.set(key, areaTypes.JSON, Buffer.from('1'), -1n, 0)
  const sizes = () => stores.status.map(({ keys, capacity }) => [keys, capacity])
  const larger = { ...small('a'), capacity: 2 * SMALL.capacity }
  const message = /^the store b: the limit of 1 for keys of an area is reached/
  await t.rejects(stores.configure([larger, { ...small('b'), maxKeys: 1 }], publish), { code: 'ERR_LIMIT', message })
  t.strictSame(sizes(), [
    [0, SMALL.capacity],
    [2, SMALL.capacity],
  ])
  await stores.configure([larger, small('b')], publish)
  t.equal(stores.status[0]?.capacity, larger.capacity)
})

t.test('a reload publishes what is new, and changes what is there', async (t) => {
  const { stores, publish, published, refuse, served } = daemon(t, 'a')
  await stores.publish(publish)
  const first = published.get('a')
  published.clear()
  await stores.configure([{ ...small('a'), capacity: 2 * SMALL.capacity }, small('b')], publish)
  t.strictSame([...published.keys()], ['b'], 'the other one is published already')
  t.strictSame(served(), ['a', 'b'])
  t.equal(stores.status[0]?.capacity, 2 * SMALL.capacity)
  t.ok(first)
  await stores.configure([small('b')], publish)
  t.strictSame(served(), ['b'], 'what the configuration has no more is closed')
  refuse(() => new Error('the registry is gone'))
  await t.rejects(stores.configure([small('c')], publish), { message: 'the registry is gone' })
  t.strictSame(served(), ['b'])
})
