/** A watch in fragments: what is complete goes on, and what is not waits. */
import t from 'tap'
import type { EngineChange } from '../src/engine/engine.ts'
import { WholeRevisions } from '../src/etcd/whole-revisions.ts'

const change = (key: string, revision: bigint): EngineChange => ({ key: Buffer.from(key), revision, value: null })
const keys = (changes: readonly EngineChange[]) => changes.map(({ key }) => key.toString()).join('')

t.test('an answer in one piece is complete', async (t) => {
  const whole = new WholeRevisions()
  t.equal(keys(whole.take([change('a', 1n), change('b', 1n), change('c', 2n)], false)), 'abc')
  t.equal(keys(whole.take([], false)), '')
})

t.test('the last revision of a fragment waits for its rest', async (t) => {
  const whole = new WholeRevisions()
  t.equal(keys(whole.take([change('a', 1n), change('b', 2n)], true)), 'a')
  t.equal(keys(whole.take([change('c', 2n)], true)), '')
  t.equal(keys(whole.take([change('d', 2n), change('e', 3n)], true)), 'bcd')
  t.equal(keys(whole.take([change('f', 4n)], false)), 'ef')
  t.equal(keys(whole.take([change('g', 5n)], false)), 'g')
})
