/** Copying and comparing in words, or not where the memory does not lie so: the same bytes in every case. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { copyBytes, isSame, withWords } from '../../src/util/words.ts'

const MEMORY = 2048
const LENGTHS = [0, 1, 3, 4, 5, 80, 159, 160, 161, 164, 511, 512, 513, 516, 1000]
const OFFSETS = [
  [0, 0],
  [8, 4],
  [5, 8],
  [8, 7],
] as const

/** With words, without, and at an odd address, where there can be none. */
const MEMORIES: Record<string, () => Buffer> = {
  words: () => withWords(Buffer.alloc(MEMORY)),
  'no words': () => Buffer.alloc(MEMORY),
  'an odd address': () => withWords(Buffer.alloc(MEMORY + 1).subarray(1)),
}

function copyAndCompare(source: Buffer, start: number, target: Buffer, at: number, count: number): string[] {
  randomBytes(MEMORY).copy(source)
  const expected = randomBytes(MEMORY)
  expected.copy(target)
  copyBytes(source, start, target, at, count)
  source.copy(expected, at, start, start + count)
  const faults = target.equals(expected) ? [] : ['copied']
  if (!isSame(source, start, target, at, count)) faults.push('the same')
  if (count === 0) return faults
  target[at + count - 1] = (target[at + count - 1] as number) ^ 1
  if (isSame(source, start, target, at, count)) faults.push('not the same')
  return faults
}

for (const [from, makeSource] of Object.entries(MEMORIES)) {
  for (const [to, makeTarget] of Object.entries(MEMORIES)) {
    t.test(`from ${from} to ${to}`, async (t) => {
      for (const [start, at] of OFFSETS) {
        for (const count of LENGTHS) {
          const faults = copyAndCompare(makeSource(), start, makeTarget(), at, count)
          t.strictSame(faults, [], `${count} bytes from ${start} to ${at}`)
        }
      }
    })
  }
}
