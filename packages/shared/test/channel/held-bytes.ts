import t from 'tap'
import { BLOCK_BYTES, type ChannelBudget, HeldBytes } from '../../src/channel/held-bytes.ts'
import { LimitError } from '../../src/util/errors.ts'

const FREE = 4096
const LIMIT = 3

/** Three blocks. */
function makeHeld() {
  const budget = {
    blocks: 0,
    charge(_what: string, count: number) {
      if (budget.blocks + count > LIMIT) throw new LimitError('heldBlocks', LIMIT, budget.blocks)
      budget.blocks += count
    },
    refund(_what: string, count: number) {
      budget.blocks -= count
    },
    carryOver: () => () => undefined,
  } satisfies ChannelBudget & { blocks: number }
  const held = new HeldBytes()
  held.chargeTo(budget)
  return { held, budget }
}

t.test('blocks are bought when they are begun, and given back when they are empty', async (t) => {
  const { held, budget } = makeHeld()
  const steps: [change: number, blocks: number][] = [
    [FREE, 0],
    [1, 1],
    [BLOCK_BYTES - 1, 1],
    [1, 2],
    [-1, 1],
    [-BLOCK_BYTES, 0],
    [2 * BLOCK_BYTES, 2],
    [-2 * BLOCK_BYTES, 0],
  ]
  for (const [change, blocks] of steps) {
    if (change > 0) held.add(change)
    else held.remove(-change)
    t.equal(budget.blocks, blocks, `after ${change}`)
  }
})

t.test('bytes that nobody pays for are not held', async (t) => {
  const { held, budget } = makeHeld()
  held.add(FREE + LIMIT * BLOCK_BYTES)
  t.equal(budget.blocks, LIMIT)
  t.throws(() => held.add(1), { code: 'ERR_LIMIT' })
  t.throws(() => held.add(Number.MAX_SAFE_INTEGER), { code: 'ERR_LIMIT' })
  held.remove(1)
  held.add(1)
  t.equal(budget.blocks, LIMIT)
})

t.test('at the end all is given back, and what goes later changes nothing', async (t) => {
  const { held, budget } = makeHeld()
  held.add(2 * BLOCK_BYTES)
  held.close()
  t.equal(budget.blocks, 0)
  held.remove(2 * BLOCK_BYTES)
  t.equal(budget.blocks, 0)
})

t.test('without a budget there is no end of it', async (t) => {
  const held = new HeldBytes()
  held.add(2 ** 40)
  held.remove(2 ** 40)
  t.doesNotThrow(() => held.add(2 ** 40))
})

t.test('descriptors are paid for one each, apart from the bytes, until they are somebody else’s', async (t) => {
  const { held, budget } = makeHeld()
  held.addDescriptors(0)
  t.equal(budget.blocks, 0)
  held.addDescriptors(LIMIT - 1)
  t.throws(() => held.addDescriptors(2), { code: 'ERR_LIMIT' })
  t.equal(budget.blocks, LIMIT - 1, 'all of them, or none')
  held.addDescriptors(1)
  held.removeDescriptors(2)
  t.equal(budget.blocks, LIMIT - 2)
  held.close()
  t.equal(budget.blocks, 0, 'what is still held at the end is paid for no longer')
  held.removeDescriptors(1)
  t.equal(budget.blocks, 0)
})

t.test('each kind is charged under its own name', async (t) => {
  const asked: string[] = []
  const held = new HeldBytes()
  held.chargeTo({
    charge: (what, count) => asked.push(`+${count} ${what}`),
    refund: (what, count) => asked.push(`-${count} ${what}`),
    carryOver: () => () => undefined,
  })
  held.addDescriptors(3)
  held.add(FREE + 1)
  held.removeDescriptors(3)
  held.remove(1)
  t.strictSame(asked, ['+3 heldDescriptors', '+1 heldBlocks', '-3 heldDescriptors', '-1 heldBlocks'])
})
