/** memsvc by its public API, from any checkout. Words: ROOT REGISTRY PAUSE-IN-MS. */

import { loadShared } from './library.ts'
import { setInIntervals } from './notices.ts'
import { serveSamples, timeCalls, timeLoop, timeThroughput, verify } from './samples.ts'

const [root = '', path = '', pause = '1'] = process.argv.slice(2)
const { IMemoryService, ServiceManager, SharedValue } = await loadShared(root)

const manager = await ServiceManager.connect({ path })
const value = await SharedValue.open(manager)
const service = IMemoryService.asInterface(value.binder)

for (const number of [1, -2_147_483_648, 42]) {
  await service.setValue(number)
  verify(value.get() === number, 'what is read after setValue is what was set')
}

async function attach(): Promise<Disposable[]> {
  const fresh = await ServiceManager.connect({ path })
  const attached = await SharedValue.open(fresh)
  verify(attached.get() === value.get(), 'an attached value is the value')
  return [attached, fresh]
}

function detach(parts: Disposable[]): void {
  for (const part of parts) part[Symbol.dispose]()
}

async function handOver(): Promise<void> {
  const descriptor = await service.getFileDescriptor()
  if (descriptor === null) throw new Error('no descriptor came')
  descriptor.close()
}

function get(times: number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += value.get()
  return sum
}

await serveSamples({
  set: (milliseconds) => timeCalls(milliseconds, (i) => service.setValue(i)),
  changes: (milliseconds) => setInIntervals(milliseconds, Number(pause), (now) => service.setValue(now)),
  pipelined: (milliseconds) => timeThroughput(milliseconds, (i) => service.setValue(i)),
  attach: (milliseconds) => timeCalls(milliseconds, attach, detach),
  'hand-over': (milliseconds) => timeCalls(milliseconds, handOver),
  get: (milliseconds) => timeLoop(milliseconds, get),
})
