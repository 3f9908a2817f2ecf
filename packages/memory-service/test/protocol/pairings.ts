/** Each speaker of the protocol with each other: the same cases for every pair of a client and a service of a value. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { CLIENTS, SERVICES } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)
t.setTimeout(300_000) // 60 processes, on a machine that has other things to do

const VALUES = [-1, 2 ** 31 - 1, -(2 ** 31)]
const UNKNOWN_CODE = 777

for (const [serviceName, startService] of Object.entries(SERVICES)) {
  for (const [clientName, openClient] of Object.entries(CLIENTS)) {
    t.test(`${clientName} understands ${serviceName}`, async (t) => {
      const service = await startService(t)
      const { read, write, watch, callUnknown } = await openClient(t, service.registry)
      t.equal(await read(), 0, 'reads the first value')
      for (const value of VALUES) {
        await service.set(value)
        t.equal(await read(), value, `reads ${value}`)
      }
      for (const value of write ? VALUES : []) {
        await write?.(value)
        t.equal(service.get(), value, `writes ${value}`)
      }
      if (callUnknown) t.ok(await callUnknown(UNKNOWN_CODE), 'is told that a code is unknown, and goes on')
      const next = await watch?.()
      if (next === undefined) return
      t.equal(await next(), VALUES.at(-1), 'watches the value')
      for (const value of [7, 8, 9]) {
        await service.set(value)
        t.equal(await next(), value, `sees ${value}`)
      }
    })
  }
}
