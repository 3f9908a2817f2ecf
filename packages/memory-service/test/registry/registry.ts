/** The registry's answers as a table: each method in each state of a name, for each kind of caller. */
import { Binder, type ImplementationOf } from '@memsvc/shared'
import { IServiceCallback } from '@memsvc/shared/internal'
import { Hub } from 'memfd-native'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const OWN = 1000
const ROOT = 0
const STRANGER = 2000
const HOLDER = 3000
const NAME = 'a.service/of-us_1'

support.leakChecked(t)
Hub.current() // keeps a descriptor for as long as the thread lives

class Callback extends IServiceCallback.Stub implements ImplementationOf<typeof IServiceCallback> {
  readonly told: (string | null)[] = []

  onRegistration(name: string | null): void {
    this.told.push(name)
  }
}

function makeWorld(rules: readonly support.AccessRule[] = []) {
  const ledger = support.makeLedger(OWN)
  const access = new support.Access(OWN, { rules, writers: new support.People() })
  let pid = 100
  const connect = (uid: number): support.Peer => ({
    caller: { pid: pid++, uid },
    groups: [],
    account: ledger.open(uid),
    hasHungUp: () => false,
  })
  const registry = new support.Registry(access)
  const root = connect(ROOT)
  /** As root sees it. */
  const list = (dumpPriority: number) => registry.list(root, dumpPriority)
  const info = (name: string | null) => registry.info(root, name)
  return { registry, access, ledger, connect, list, info }
}

function newService(name: string | null = NAME, binder: Binder | null = new Binder()) {
  return { name, binder, acceptsFileDescriptors: false, dumpPriority: 8 }
}

/** What a call came to: 'ok', or the code of its error. */
function codeOf(call: () => unknown): string {
  try {
    call()
    return 'ok'
  } catch (error) {
    return (error as { code: string }).code
  }
}

const CALLERS = { own: OWN, root: ROOT, stranger: STRANGER }
type CallerName = keyof typeof CALLERS

const ADD: [state: 'free' | 'mine' | 'held', outcomes: Record<CallerName, string>][] = [
  ['free', { own: 'ok', root: 'ok', stranger: 'ERR_SECURITY' }],
  ['mine', { own: 'ok', root: 'ok', stranger: 'ERR_SECURITY' }],
  ['held', { own: 'ERR_ILLEGAL_STATE', root: 'ERR_ILLEGAL_STATE', stranger: 'ERR_SECURITY' }],
]

for (const [state, outcomes] of ADD) {
  for (const [caller, outcome] of Object.entries(outcomes)) {
    t.test(`addService of a name that is ${state}, by ${caller}: ${outcome}`, async (t) => {
      const { registry, ledger, connect, list, info } = makeWorld()
      const peer = connect(CALLERS[caller as CallerName])
      const holder = state === 'mine' ? peer : connect(OWN)
      if (state !== 'free' && holder.caller.uid !== STRANGER) registry.add(holder, newService())
      const before = info(NAME)
      t.equal(
        codeOf(() => registry.add(peer, newService())),
        outcome,
      )
      t.strictSame(info(NAME), outcome === 'ok' ? { ...peer.caller, dumpPriority: 8 } : before)
      t.equal(ledger.used('names'), list(15).length, 'each name is charged once')
    })
  }
}

t.test('the same process may add again over another connection, which holds the name from then on', async (t) => {
  const { registry, ledger, connect, list } = makeWorld()
  const first = connect(OWN)
  const second = { ...first, account: ledger.open(OWN) }
  registry.add(first, newService())
  registry.add(second, newService())
  t.strictSame([first.account.rest, second.account.rest], [[], ['names']])
  first.hasHungUp = () => t.fail('nothing is asked of a connection without a name')
  t.strictSame(list(15), [NAME])
  registry.remove(first)
  t.strictSame(list(15), [NAME])
  registry.remove(second)
  t.strictSame(list(15), [])
})

t.test('processes of other namespaces are never taken for the same', async (t) => {
  const { registry, ledger } = makeWorld()
  const caller = { pid: 0, uid: OWN }
  const connectFromAfar = () => ({ caller, groups: [], account: ledger.open(OWN), hasHungUp: () => false })
  registry.add(connectFromAfar(), newService())
  t.throws(() => registry.add(connectFromAfar(), newService()), { code: 'ERR_ILLEGAL_STATE' })
})

t.test('the holder’s pid is in the refusal', async (t) => {
  const { registry, connect } = makeWorld()
  const holder = connect(OWN)
  registry.add(holder, newService())
  t.throws(() => registry.add(connect(OWN), newService()), {
    message: `the name ${NAME} is held by process ${holder.caller.pid}`,
  })
})

t.test('the name of a holder that has gone is free before its connection is removed', async (t) => {
  const { registry, connect, list, info } = makeWorld()
  const holder = connect(OWN)
  const dead = { ...holder, hasHungUp: () => true }
  const callback = new Callback()
  registry.add(dead, newService())
  registry.notify(connect(OWN), NAME, callback)
  t.strictSame([registry.find(connect(OWN), NAME), info(NAME), list(15)], [{ kind: 'none' }, null, []])
  registry.add(dead, newService())
  const heir = connect(OWN)
  registry.add(heir, newService())
  registry.remove(dead)
  t.strictSame([dead.account.rest, heir.account.rest, list(15)], [[], ['names'], [NAME]])
  t.strictSame(callback.told, [NAME, NAME], 'of each that added it, and not of a dead one who had it')
})

const BAD_NAMES = ['', 'a'.repeat(128), 'a b', 'a\0', 'a\n', '../ü', 'a:b', '*', null]

for (const name of BAD_NAMES) {
  t.test(`${JSON.stringify(name)} is no name`, async (t) => {
    const { registry, connect, info } = makeWorld()
    const peer = connect(OWN)
    t.equal(
      codeOf(() => registry.add(peer, newService(name))),
      'ERR_INVALID_ARG_VALUE',
    )
    t.equal(
      codeOf(() => registry.notify(peer, name, new Callback())),
      'ERR_INVALID_ARG_VALUE',
    )
    t.equal(
      codeOf(() => registry.unnotify(peer, name, new Callback())),
      'ERR_ILLEGAL_STATE',
    )
    t.strictSame(await registry.find(peer, name), { kind: 'none' }, 'to look for it is no error')
    t.equal(info(name), null)
    t.strictSame(peer.account.rest, [])
  })
}

t.test('names have up to 127 characters, and may look like a path', async (t) => {
  const { registry, connect, list, info } = makeWorld()
  const names = ['-', '../../etc/passwd', '__proto__', 'a'.repeat(127), 'constructor', 'toString']
  const peer = connect(OWN)
  for (const name of names) t.equal(info(name), null, name)
  for (const name of names) registry.add(peer, newService(name))
  t.strictSame(list(15), names, 'sorted')
})

t.test('the right to add is checked before the binder, and the binder before the name', async (t) => {
  const { registry, connect } = makeWorld()
  t.equal(
    codeOf(() => registry.add(connect(STRANGER), newService('*', null))),
    'ERR_SECURITY',
  )
  t.throws(() => registry.add(connect(OWN), newService('*', null)), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: 'Null binder',
  })
})

t.test('a service is found by all: its own binder by the holder, a new channel by each of the others', async (t) => {
  const { registry, connect } = makeWorld()
  const holder = connect(OWN)
  const service = newService()
  t.strictSame(await registry.find(holder, NAME), { kind: 'none' })
  registry.add(holder, service)
  t.strictSame(await registry.find(holder, NAME), { kind: 'own', binder: service.binder })
  for (const uid of [OWN, ROOT, STRANGER]) {
    const found = await registry.find(connect(uid), NAME)
    t.match(found, { kind: 'channel', acceptsFileDescriptors: false, ...holder.caller })
    if (found.kind === 'channel') found.end.close()
  }
})

t.test('adding again replaces the binder and the priority', async (t) => {
  const { registry, connect, list } = makeWorld()
  const peer = connect(OWN)
  registry.add(peer, newService())
  const next = { ...newService(), dumpPriority: 1 }
  registry.add(peer, next)
  t.strictSame(await registry.find(peer, NAME), { kind: 'own', binder: next.binder })
  t.strictSame([list(1), list(8), list(15)], [[NAME], [], [NAME]])
})

t.test('a callback is told of every registration of its name, at once when it is there', async (t) => {
  const { registry, connect } = makeWorld()
  const early = new Callback()
  const late = new Callback()
  const other = new Callback()
  const holder = connect(OWN)
  registry.notify(connect(STRANGER), NAME, early)
  registry.notify(connect(STRANGER), 'other', other)
  registry.add(holder, newService())
  registry.notify(connect(OWN), NAME, late)
  registry.add(holder, newService())
  registry.remove(holder)
  t.strictSame([early.told, late.told, other.told], [[NAME, NAME], [NAME, NAME], []])
})

t.test('unregistering removes every registration of that callback by that connection for that name', async (t) => {
  const { registry, ledger, connect } = makeWorld()
  const [peer, other, holder] = [connect(STRANGER), connect(STRANGER), connect(OWN)]
  const callback = new Callback()
  for (const who of [peer, peer, other]) registry.notify(who, NAME, callback)
  registry.notify(peer, 'elsewhere', callback)
  registry.unnotify(peer, NAME, callback)
  t.equal(
    codeOf(() => registry.unnotify(peer, NAME, callback)),
    'ERR_ILLEGAL_STATE',
  )
  t.equal(ledger.used('notifications'), 2)
  registry.add(holder, newService())
  registry.add(holder, newService('elsewhere'))
  t.strictSame(callback.told, [NAME, 'elsewhere'])
})

t.test('a null callback is refused', async (t) => {
  const { registry, connect } = makeWorld()
  t.equal(
    codeOf(() => registry.notify(connect(OWN), NAME, null)),
    'ERR_NULL_POINTER',
  )
})

t.test('a connection that ends takes its names and callbacks with it, and nobody else’s', async (t) => {
  const { registry, ledger, connect, list } = makeWorld()
  const [going, staying] = [connect(OWN), connect(OWN)]
  const callback = new Callback()
  for (const name of ['x', 'y']) registry.add(going, newService(name))
  registry.add(staying, newService('z'))
  registry.notify(going, 'z', callback)
  registry.notify(staying, 'x', callback)
  registry.remove(going)
  t.strictSame(list(15), ['z'])
  t.strictSame(going.account.rest, [])
  t.strictSame([ledger.used('names'), ledger.used('notifications')], [1, 1])
  registry.add(staying, newService('x'))
  t.strictSame(callback.told, ['z', 'x', 'x'], 'at once, and when it came again')
  registry.remove(going)
  t.equal(list(15).length, 2, 'and twice is once')
})

t.test('names and callbacks of one connection are limited', async (t) => {
  const { perPeer: maxNames = 0 } = support.DEFAULTS.names
  const { perPeer: maxCallbacks = 0 } = support.DEFAULTS.notifications
  const { registry, connect } = makeWorld()
  const peer = connect(OWN)
  for (let i = 0; i < maxNames; i++) registry.add(peer, newService(`name-${i}`))
  t.throws(() => registry.add(peer, newService('one-more')), { code: 'ERR_LIMIT', limit: maxNames })
  t.doesNotThrow(() => registry.add(peer, newService('name-0')), 'a name that is there costs nothing more')
  for (let i = 0; i < maxCallbacks; i++) registry.notify(peer, NAME, new Callback())
  t.throws(() => registry.notify(peer, NAME, new Callback()), {
    code: 'ERR_LIMIT',
    limit: maxCallbacks,
  })
  registry.remove(peer)
  t.strictSame(peer.account.rest, [])
})

t.test('for a user who may not find a name it does not exist', async (t) => {
  const people = { add: await support.findPeople([STRANGER, HOLDER]), find: await support.findPeople(['@4711']) }
  const { registry, connect } = makeWorld([{ names: ['a.*'], people }])
  const holder = connect(HOLDER)
  registry.add(holder, newService())
  const sees = async (peer: support.Peer) => {
    const found = await registry.find(peer, NAME)
    if (found.kind === 'channel') found.end.close()
    return [found.kind, registry.info(peer, NAME) !== null, registry.list(peer, 15).length]
  }
  const member = { ...connect(STRANGER), groups: [1, 4711] }
  t.strictSame(await sees(connect(STRANGER)), ['none', false, 0], 'although it may add it')
  t.strictSame(await sees(member), ['channel', true, 1], 'by the group that it runs with')
  t.strictSame(await sees(holder), ['own', true, 1], 'whoever holds a name sees it')
  for (const uid of [OWN, ROOT]) t.strictSame(await sees(connect(uid)), ['channel', true, 1], `uid ${uid}`)
  t.throws(() => registry.add(connect(STRANGER), newService()), { code: 'ERR_ILLEGAL_STATE' })
  t.throws(() => registry.add(connect(STRANGER), newService('b')), { code: 'ERR_SECURITY' })
})

t.test('a user is not told of a hidden name, but is when the rules change', async (t) => {
  const { registry, access, connect } = makeWorld([{ names: [NAME], people: { find: new support.People() } }])
  const callback = new Callback()
  const holder = connect(OWN)
  registry.notify(connect(STRANGER), NAME, callback)
  registry.add(holder, newService())
  registry.notify(connect(STRANGER), NAME, callback)
  t.strictSame(callback.told, [])
  access.rules = { ...access.rules, rules: [] }
  registry.add(holder, newService())
  t.strictSame(callback.told, [NAME, NAME])
})
