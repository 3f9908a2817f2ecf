/** A store whose disk fails: what was made is said and not made again, and what was not made is answered as ever. */
import t, { type Test } from 'tap'
import { OwnedStore, SharedStore } from '../../src/index.ts'
import type { StoreKeeper } from '../../src/store/keeper.ts'
import { NotKeptError } from '../../src/util/service-errors.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const LARGE = Buffer.alloc(200_000, 1)

/** As a state folder that is written with each change, on a disk that is full for as long as `isFull`. */
class FullDisk implements StoreKeeper {
  isFull = true
  #pending = 0

  begin(): void {}
  moved(): void {}
  end(): void {}

  changed(keys: readonly string[]): void {
    this.#pending += keys.length
  }

  kept(): Promise<void> | null {
    if (!this.isFull) this.#pending = 0
    return this.#pending === 0 ? null : Promise.reject(new NotKeptError('the change was made, and is not on disk'))
  }
}

async function storeOnFullDisk(t: Test) {
  const disk = new FullDisk()
  const owner = new OwnedStore({ capacity: 4 * support.MIB, maxKeys: 100 }, { keeper: disk })
  t.teardown(() => owner.close())
  const { registry } = await support.startRegistry(t)
  const publisher = await support.connect(t, registry)
  await publisher.addService('store', owner.binder)
  const store = await SharedStore.open('store', { path: registry })
  t.teardown(() => store.close())
  return { disk, owner, store }
}

for (const value of ['small', LARGE]) {
  t.test(`a change that was made is told so, and is made once: ${value.length} bytes`, async (t) => {
    const { owner, store } = await storeOnFullDisk(t)
    const versions: bigint[] = []
    owner.onChange = ({ version }) => versions.push(version)
    await t.rejects(store.set('k', value), { code: 'ERR_ILLEGAL_STATE', message: /was made/ })
    await t.rejects(store.set('new', value, { ifVersion: 0n }), { code: 'ERR_ILLEGAL_STATE', message: /was made/ })
    t.equal(versions.length, 2)
    t.same(store.get('new'), value)
    t.match(owner.used, { uploads: 0 })
  })
}

t.test('a change that was not made is answered as if the disk were right', async (t) => {
  const { owner, store } = await storeOnFullDisk(t)
  const version = owner.set('lock', 'mine')
  const lost = { code: 'ERR_CONFLICT', version }
  await t.rejects(store.set('lock', 'yours', { ifVersion: 0n }), lost)
  await t.rejects(store.set('lock', LARGE, { ifVersion: 0n }), lost)
  await t.rejects(store.delete('lock', { ifVersion: 1n }), lost)
  await t.rejects(store.update([{ key: 'lock', value: 'yours', ifVersion: 0n }]), lost)
  t.equal(await store.delete('absent'), false)
  t.equal(await store.update([{ key: 'absent' }]), 0n)
  t.equal(store.get('lock'), 'mine')
  await t.rejects(store.increment('n'), { code: 'ERR_ILLEGAL_STATE' })
  t.equal(store.get('n'), 1)
})

t.test('changes are answered again when the disk has room', async (t) => {
  const { disk, store } = await storeOnFullDisk(t)
  await t.rejects(store.set('k', LARGE), { code: 'ERR_ILLEGAL_STATE' })
  disk.isFull = false
  t.ok((await store.set('k', LARGE)) > 0n)
  t.equal(await store.delete('k'), true)
})
