/**
 * Users take turns: who sends more than is served in a turn of the event loop waits for himself, and nobody else for him.
 * What is proved is order, by what is written down; how long a message takes is up to the service of these tests.
 */
import t, { type Test } from 'tap'
import type { SessionOptions } from '../../src/binder/session.ts'
import { Violation } from '../../src/channel/message.ts'
import { Binder, LimitError, type Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const STRANGER = 1234
const OTHER = 4321
/** Of a call, in milliseconds: a few of them are more than a stranger's share of a turn. */
const COST = 1
/** The status of a FAILURE. */
const LIMIT = 4

function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

/** Whoever serves wakes the one test that waits. */
let wake: () => void = () => undefined

/** Writes down the code of each call that it serves, and takes its time. */
class Slow extends Binder {
  readonly served: string[] = []
  readonly #name: string
  onEach: () => void = () => undefined

  constructor(name = '', log: string[] = [], acceptFileDescriptors = false) {
    super({ acceptFileDescriptors })
    this.#name = name
    this.served = log
  }

  override onTransact(code: number, _data: Parcel, _reply: Parcel, _flags: number): boolean | Promise<boolean> {
    work(COST)
    this.note(code)
    return true
  }

  protected note(code: number): void {
    this.served.push(`${this.#name}${code}`)
    this.onEach()
    wake()
  }

  async until(count: number): Promise<void> {
    while (this.served.length < count) await support.awake(new Promise<void>((resolve) => (wake = resolve)))
  }
}

/** Its work is done by promises, after the batch. */
class Later extends Slow {
  override async onTransact(code: number): Promise<boolean> {
    await null
    work(COST)
    this.note(code)
    return true
  }
}

function client(t: Test, root: Binder, uid: number, options: Partial<SessionOptions> = {}) {
  return support.rawClient(t, root, { caller: { pid: 1, uid }, ...options })
}

function calls(first: number, count: number, flags = support.ONEWAY): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    support.message({
      kind: support.TRANSACTION,
      flags,
      code: first + i,
      id: flags === support.ONEWAY ? 0 : first + i,
    }),
  )
}

function sendCalls(peer: support.RawPeer, first: number, count: number): void {
  peer.send(support.packet(...calls(first, count)))
}

const codes = (first: number, count: number) => Array.from({ length: count }, (_, i) => `${first + i}`)

for (const [where, make] of Object.entries({ 'at once': () => new Slow(), 'by promises': () => new Later() })) {
  t.test(`timers run between the turns of one who sends too much, served ${where}`, async (t) => {
    const service = make()
    const { peer } = client(t, service, STRANGER)
    sendCalls(peer, 1, 1) // from here on it is known what a call takes
    await service.until(1)
    const seen: number[] = []
    const timer = setInterval(() => seen.push(service.served.length), 1)
    t.teardown(() => clearInterval(timer))
    for (let i = 0; i < 3; i++) sendCalls(peer, 2 + 50 * i, 50)
    await service.until(151)
    t.ok(seen.filter((count) => count > 1 && count < 151).length >= 3, `timers after ${seen.join(' ')} calls`)
    t.strictSame(service.served, codes(1, 151))
  })
}

t.test('timers run between the turns of the own user too, also where its calls came in one batch', async (t) => {
  const CALLS = 30 // with a HELLO each; they take twice its share of a turn
  class Slower extends Slow {
    override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
      work(3 * COST)
      return super.onTransact(code, data, reply, flags)
    }
  }
  const service = new Slower()
  const seen: number[] = []
  const timer = setInterval(() => seen.push(service.served.length), 1)
  t.teardown(() => clearInterval(timer))
  for (let i = 0; i < CALLS; i++) sendCalls(client(t, service, process.getuid?.() ?? 0).peer, 1, 1)
  await service.until(CALLS)
  t.ok(seen.filter((count) => count > 0 && count < CALLS).length >= 1, `timers after ${seen.join(' ')} calls`)
})

for (const [where, makeLater] of Object.entries({ 'at once': false, 'by promises': true })) {
  t.test(
    `cheap messages of one user are served many in a turn, ${where}, also when there have been very many`,
    async (t) => {
      const MESSAGES = 1500
      let served = 0
      class Quick extends Binder {
        override onTransact(): boolean | Promise<boolean> {
          served += 1
          return makeLater ? Promise.resolve().then(() => true) : true
        }
      }
      const { peer } = client(t, new Quick(), STRANGER)
      let turns = 0
      for (let sent = 0; sent < MESSAGES; sent += 300) {
        sendCalls(peer, 1, 300)
        while (served < sent + 300) {
          await support.awake(new Promise(setImmediate))
          turns += 1
        }
      }
      t.ok(turns < MESSAGES / 3, `${turns} turns`)
    },
  )
}

t.test('the call of another user is answered before what was there of a flood is served', async (t) => {
  const log: string[] = []
  const flooded = new Slow('', log)
  const floods = Array.from({ length: 8 }, () => client(t, flooded, STRANGER).peer)
  const canary = client(t, new Binder(), OTHER)
  for (const peer of floods) for (let i = 0; i < 3; i++) sendCalls(peer, 1, 20)
  canary.peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: Binder.PING_TRANSACTION }))
  const answer = support.awake(canary.peer.receiveMessages(1)).then(() => log.push('answered'))
  await flooded.until(480)
  await answer
  t.ok(log.indexOf('answered') < 240, `answered after ${log.indexOf('answered')} of 480`)
})

t.test('two users are served in turn, and so are the channels of one', async (t) => {
  const log: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Slow(name, log)) as [Slow, Slow, Slow]
  sendCalls(client(t, a, STRANGER).peer, 1, 60)
  sendCalls(client(t, b, STRANGER).peer, 1, 60)
  sendCalls(client(t, c, OTHER).peer, 1, 60)
  await c.until(180)
  for (const name of 'abc') {
    const own = log.filter((line) => line.startsWith(name))
    t.strictSame(
      own,
      codes(1, 60).map((code) => name + code),
    )
    t.ok(log.indexOf(`${name}1`) < 60, `${name} began early`)
  }
  const early = (name: string) => log.indexOf(`${name}10`)
  for (const [one, other] of ['ab', 'ac', 'bc'] as unknown as [string, string][]) {
    t.ok(
      early(one) < log.indexOf(`${other}60`) && early(other) < log.indexOf(`${one}60`),
      `${one} and ${other} took turns`,
    )
  }
})

/** Pays for `limit` blocks. */
function budgetOf(limit: number) {
  const budget = {
    blocks: 0,
    most: 0,
    charge(_what: string, count: number) {
      if (budget.blocks + count > limit) throw new LimitError('heldBlocks', limit, budget.blocks)
      budget.blocks += count
      budget.most = Math.max(budget.most, budget.blocks)
    },
    refund(_what: string, count: number) {
      budget.blocks -= count
    },
    carryOver: () => () => undefined,
  }
  return budget
}

for (const limit of [100, 0]) {
  t.test(
    `waiting packets are charged, and refunded when they are served; limit ${limit}: in order in any case`,
    async (t) => {
      const service = new Slow()
      const { server, peer } = client(t, service, STRANGER)
      const budget = budgetOf(limit)
      server.chargeTo(budget)
      sendCalls(peer, 1, 250) // 8,000 bytes, of which the first few blocks are free
      sendCalls(peer, 251, 10)
      await service.until(260)
      await new Promise(setImmediate)
      t.strictSame(service.served, codes(1, 260))
      t.equal(budget.most > 0, limit > 0)
      t.equal(budget.blocks, 0)
    },
  )
}

t.test(
  'a channel that is closed while something of it waits serves nothing of that, and pays for nothing',
  async (t) => {
    const service = new Slow('', [], true)
    const { server, peer, ended } = client(t, service, STRANGER)
    const neighbour = new Slow()
    sendCalls(client(t, neighbour, STRANGER).peer, 1, 20)
    const budget = budgetOf(100)
    server.chargeTo(budget)
    sendCalls(peer, 1, 250)
    const withDescriptor = support.body(24, [{ offset: 0, type: support.DESCRIPTOR, number: 0 }])
    const fields = { kind: support.TRANSACTION, flags: support.ONEWAY, code: 251, objectCount: 1, descriptorCount: 1 }
    peer.send(support.message(fields, withDescriptor), support.regions(t, 1))
    await service.until(2)
    server.close()
    const { length } = service.served
    await ended()
    await neighbour.until(20)
    t.equal(service.served.length, length)
    t.equal(budget.blocks, 0)
  },
)

/** Pays for so many descriptors. */
function descriptorBudget(limit: number) {
  const budget = {
    used: 0,
    most: 0,
    charge(what: string, count: number) {
      if (what !== 'heldDescriptors') return
      if (budget.used + count > limit) throw new LimitError(what, limit, budget.used)
      budget.used += count
      budget.most = Math.max(budget.most, budget.used)
    },
    refund(what: string, count: number) {
      if (what === 'heldDescriptors') budget.used -= count
    },
    carryOver: () => () => undefined,
  }
  return budget
}

function callWithDescriptor(code: number): Buffer {
  const data = support.body(24, [{ offset: 0, type: support.DESCRIPTOR, number: 0 }])
  return support.message(
    { kind: support.TRANSACTION, flags: support.ONEWAY, code, objectCount: 1, descriptorCount: 1 },
    data,
  )
}

t.test('descriptors of what waits are paid for while it waits', async (t) => {
  const log: string[] = []
  sendCalls(client(t, new Slow('a', log), STRANGER).peer, 1, 60)
  const taking = new Slow('b', log, true)
  const { server, peer } = client(t, taking, STRANGER)
  const budget = descriptorBudget(1)
  server.chargeTo(budget)
  peer.send(callWithDescriptor(1), support.regions(t, 1))
  let paidWhile = 0
  taking.onEach = () => (paidWhile = budget.used)
  await taking.until(61)
  await new Promise(setImmediate)
  t.ok(log.indexOf('b1') > 0, 'it has waited')
  t.equal(paidWhile, 1, 'once, also while it is served')
  t.equal(budget.used, 0)
})

t.test('a channel whose waiting descriptors nobody pays for is told so, and ends at once', async (t) => {
  const log: string[] = []
  const flooded = new Slow('a', log)
  sendCalls(client(t, flooded, STRANGER).peer, 1, 60)
  const { server, peer, ended } = client(t, new Slow('b', log, true), STRANGER)
  server.chargeTo(descriptorBudget(0))
  peer.send(callWithDescriptor(1), support.regions(t, 1))
  const [farewell] = await support.awake(peer.receiveMessages(1))
  t.match(farewell, { kind: support.FAILURE, id: 0, code: LIMIT })
  t.match(await ended(), { code: 'ERR_LIMIT' })
  t.ok(log.length < 60, 'before the others were served')
  await flooded.until(60)
  t.notOk(log.includes('b1'))
})

t.test('a service may close the channel in the middle of what waits', async (t) => {
  const service = new Slow()
  const { server, peer, ended } = client(t, service, STRANGER)
  service.onEach = () => {
    if (service.served.length === 30) server.close()
  }
  sendCalls(peer, 1, 60)
  await ended()
  await new Promise(setImmediate)
  t.strictSame(service.served, codes(1, 30))
})

t.test('a violation among waiting packets ends the channel in its turn', async (t) => {
  const service = new Slow()
  const { peer, ended } = client(t, service, STRANGER)
  peer.send(
    support.packet(...calls(1, 30), support.message({ kind: support.RELEASE, object: 7, code: 1 }), ...calls(31, 30)),
  )
  t.type(await ended(), Violation)
  t.strictSame(service.served, codes(1, 30))
})

t.test('the end of a channel comes behind what waits', async (t) => {
  const service = new Slow()
  const { peer, ended } = client(t, service, STRANGER)
  sendCalls(peer, 1, 60)
  peer.close()
  await ended()
  t.strictSame(service.served, codes(1, 60))
})

t.test('the answers of a packet that was served in several turns all come', async (t) => {
  const service = new Slow()
  const { peer } = client(t, service, STRANGER)
  peer.send(support.packet(...calls(1, 40, 0)))
  const answers = await support.awake(peer.receiveMessages(40))
  t.strictSame(
    answers.map(({ id }) => `${id}`),
    codes(1, 40),
  )
})

t.test('a fault of a handler is one, in what waits as anywhere', async (t) => {
  const service = new Slow()
  const { server, peer } = client(t, service, STRANGER)
  const faults: unknown[] = []
  const onFault = (error: unknown) => faults.push(error)
  process.once('uncaughtException', onFault)
  const release = server.onRelease.bind(server)
  server.onRelease = (object, count) => {
    if (object === 7) throw new Error('a bug')
    release(object, count)
  }
  t.teardown(() => process.off('uncaughtException', onFault))
  peer.send(
    support.packet(...calls(1, 30), support.message({ kind: support.RELEASE, object: 7, code: 1 }), ...calls(31, 5)),
  )
  sendCalls(peer, 41, 3)
  await service.until(33)
  t.strictSame(service.served, [...codes(1, 30), ...codes(41, 3)])
  t.equal(faults.length, 1)
})
