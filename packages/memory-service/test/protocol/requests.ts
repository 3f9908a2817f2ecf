/** How an object reads a request: docs/protocol.md, section 4, by the oracle's hand. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { ints, openRawService, STORE, startMemsvc, string16, token, wire } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

const [SET, DELETE, UPDATE, INCREMENT, BEGIN, PART, ABORT, ACKNOWLEDGE] = [2, 3, 4, 5, 6, 7, 9, 1003]
const [NONE, SECURITY, BAD_PARCEL, ILLEGAL_ARGUMENT, NULL_POINTER, ILLEGAL_STATE] = [0, -1, -2, -3, -4, -5]
const BYTES = 1
const ANY_VERSION = ints(-1, -1)
const NO_TTL = ints(0, 0)
const NULL = ints(-1)
const NULL_BINDER = Buffer.alloc(24)
const HEADER_BYTES = 4
const value = Buffer.concat([ints(3), Buffer.from('abc\0')])

t.test('an object says what is wrong with a request, and goes on', async (t) => {
  const { registry } = await startMemsvc(t)
  const store = await openRawService(t, registry, 'SharedStore')
  const request = (...args: Buffer[]) => [token(STORE), ...args]
  const set = (...args: Buffer[]) => request(...args, ANY_VERSION, NO_TTL)
  const cases: [what: string, code: number, parts: Buffer[], exception: number][] = [
    ['no token', SET, [], SECURITY],
    ['the token of another interface', SET, [token('memsvc.IWatch')], SECURITY],
    ['all arguments', SET, set(string16('a'), ints(BYTES), value), NONE],
    ['an argument more', SET, [...set(string16('a'), ints(BYTES), value), ints(0)], BAD_PARCEL],
    ['half an argument', DELETE, request(string16('a'), ints(0)), BAD_PARCEL],
    ['a length that does not fit', SET, request(ints(1000), ints(0)), BAD_PARCEL],
    ['a negative length: null', SET, request(ints(-2)), NULL_POINTER],
    ['more edits than fit', UPDATE, request(ints(3)), BAD_PARCEL],
    ['a null key', SET, set(NULL, ints(BYTES), value), NULL_POINTER],
    ['a null value', SET, set(string16('a'), ints(BYTES), NULL), NULL_POINTER],
    ['a null key in a list', UPDATE, request(ints(1), NULL, ints(BYTES), value, ANY_VERSION), BAD_PARCEL],
    ['an empty key', SET, set(string16(''), ints(BYTES), value), ILLEGAL_ARGUMENT],
    ['half of a pair of surrogates', SET, set(string16('a\ud800'), ints(BYTES), value), ILLEGAL_ARGUMENT],
    ['a control character', SET, set(string16('a\u0085'), ints(BYTES), value), ILLEGAL_ARGUMENT],
    ['an unknown type', SET, set(string16('a'), ints(3), value), ILLEGAL_ARGUMENT],
    ['no value: null', SET, request(string16('a'), ints(BYTES)), NULL_POINTER],
    ['no owner of an upload', BEGIN, request(NULL_BINDER, string16('a'), ints(BYTES), ints(3, 0)), NULL_POINTER],
    ['a part of no upload', PART, request(ints(99), ints(0, 0), value), ILLEGAL_STATE],
    ['an upload that is none', ABORT, request(ints(99)), ILLEGAL_STATE],
  ]
  for (const [what, code, parts, exception] of cases) {
    const [answer] = await store.call(code, parts)
    t.same([answer.kind, answer.body.readInt32LE(0)], [wire.REPLY, exception], what)
  }
  store.close()
})

t.test('arguments that are missing at the end of a request are zero', async (t) => {
  const { registry } = await startMemsvc(t)
  const store = await openRawService(t, registry, 'SharedStore')
  const [sum] = await store.call(INCREMENT, [token(STORE), string16('n')])
  t.equal(sum.body.readDoubleLE(HEADER_BYTES), 0, 'by nothing')
  const [outcome] = await store.call(DELETE, [token(STORE), string16('n')])
  t.equal(outcome.body.readInt32LE(HEADER_BYTES), 1, 'version 0 was asked for: a conflict, for it has a value')
  store.close()
})

t.test('a call of a oneway method is answered by an empty parcel', async (t) => {
  const { registry } = await startMemsvc(t)
  const store = await openRawService(t, registry, 'SharedStore')
  const [answer] = await store.call(ACKNOWLEDGE, [token(STORE), NULL_BINDER])
  t.same([answer.kind, answer.body.length], [wire.REPLY, 0])
  store.close()
})
