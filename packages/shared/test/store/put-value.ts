/** A value on its way to the owner: begun anew where the store has moved meanwhile, and for no other reason. */
import t from 'tap'
import * as api from '../../src/index.ts'
import { putValue } from '../../src/store/put-value.ts'
import { ANY_VERSION, NO_TTL } from '../../src/store/store-interface.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const TOO_LONG_FOR_ONE_CALL = Buffer.alloc(200_000)

/** Throws these one after the other, at the end of each upload. */
class Refusing extends api.IStore.Stub implements Partial<api.ImplementationOf<typeof api.IStore>> {
  readonly done: string[] = []
  readonly #errors: Error[]

  constructor(errors: Error[]) {
    super()
    this.#errors = errors
  }

  beginAs(): void {
    this.done.push('begin')
  }

  part(): void {}

  abort(): void {
    this.done.push('abort')
  }

  commit(): support.Outcome {
    const error = this.#errors.shift()
    if (error !== undefined) throw error
    this.done.push('commit')
    return { isConflict: false, version: 3n, edit: 0 }
  }
}

class Closed extends api.IStore.Stub implements Partial<api.ImplementationOf<typeof api.IStore>> {
  begun = 0

  beginAs(): void {
    this.begun += 1
    throw new api.IllegalStateError('the store was closed by its owner')
  }

  commit(): support.Outcome {
    throw new api.IllegalStateError('the store was closed by its owner')
  }
}

const put = (binder: api.IBinder) =>
  putValue(binder, {
    key: 'k',
    value: { type: 1, bytes: TOO_LONG_FOR_ONE_CALL },
    ifVersion: ANY_VERSION,
    ttlMs: NO_TTL,
    owner: new api.Binder(),
    step: (answer) => answer,
  })

const moved = () => new api.IllegalStateError('the store has moved')

/** Of before there was `beginAs`. */
class Former extends api.IStore.Stub implements Partial<api.ImplementationOf<typeof api.IStore>> {
  readonly done: string[] = []
  readonly parts: Buffer[] = []

  begin(): number {
    this.done.push('begin')
    return 7
  }

  part(id: number, _position: bigint, bytes: Uint8Array | null): void {
    check(id)
    this.parts.push(Buffer.from(bytes as Uint8Array))
  }

  commit(id: number): support.Outcome {
    check(id)
    this.done.push('commit')
    return { isConflict: false, version: 3n, edit: 0 }
  }

  abort(id: number): void {
    check(id)
    this.done.push('abort')
  }
}

function check(id: number): void {
  if (id !== 7) throw new api.IllegalStateError('there is no such upload')
}

t.test('an owner that lets nobody choose the number of an upload is asked for it', async (t) => {
  const owner = new Former()
  const { proxy } = support.sessionPair(t, owner)
  for (let i = 0; i < 2; i++) {
    owner.parts.length = 0
    t.match(await put(proxy), { version: 3n })
    t.ok(TOO_LONG_FOR_ONE_CALL.equals(Buffer.concat(owner.parts)))
  }
  t.strictSame(owner.done, ['begin', 'commit', 'begin', 'commit'], 'and nothing had to be given up the second time')
})

t.test('a store that moves is sent it again, each time', async (t) => {
  const owner = new Refusing([moved(), moved(), moved()])
  t.match(await put(support.sessionPair(t, owner).proxy), { version: 3n })
  t.strictSame(owner.done, ['begin', 'abort', 'begin', 'abort', 'begin', 'abort', 'begin', 'commit'])
})

t.test('an owner that never has it in the end is believed after a while', async (t) => {
  const owner = new Refusing(Array.from({ length: 100 }, moved))
  await t.rejects(put(support.sessionPair(t, owner).proxy), { code: 'ERR_ILLEGAL_STATE', message: /has moved/ })
  t.equal(owner.done.filter((each) => each === 'begin').length, 16)
})

t.test('an owner that begins nothing, because it is closed, is not asked again', async (t) => {
  const owner = new Closed()
  await t.rejects(put(support.sessionPair(t, owner).proxy), { code: 'ERR_ILLEGAL_STATE', message: /closed/ })
  t.equal(owner.begun, 1)
})

t.test('any other error of the owner is thrown at once, and the upload is given up', async (t) => {
  for (const [errors, code, begun] of [
    [[new api.SecurityError('not for you')], 'ERR_SECURITY', 1],
    [[new api.LimitError('bytes', 1, 2)], 'ERR_LIMIT', 1],
    [[moved(), new api.SecurityError('not any more')], 'ERR_SECURITY', 2],
  ] as const) {
    const owner = new Refusing([...errors])
    await t.rejects(put(support.sessionPair(t, owner).proxy), { code })
    t.equal(owner.done.filter((each) => each === 'begin').length, begun, code)
    t.notOk(owner.done.includes('commit'))
    t.equal(owner.done.filter((each) => each === 'abort').length, begun)
  }
})
