import { jest } from '@jest/globals'
import * as memsvc from '@memsvc/shared'
import { use } from './use.mjs'

test('as ever', async () => {
  expect(await use(memsvc, process.env.REGISTRY)).toBe('used')
})

test('with fake timers', async () => {
  jest.useFakeTimers()
  expect(await use(memsvc, process.env.REGISTRY)).toBe('used')
  jest.useRealTimers()
})
