import * as memsvc from '@memsvc/shared'
import { expect, test, vi } from 'vitest'
import { use } from './use.mjs'

test('as ever', async () => {
  expect(await use(memsvc, process.env.REGISTRY)).toBe('used')
})

test('with fake timers', async () => {
  vi.useFakeTimers()
  expect(await use(memsvc, process.env.REGISTRY)).toBe('used')
  vi.useRealTimers()
})
