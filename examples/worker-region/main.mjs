/** A region that the main thread writes and a worker reads. The object stays here; what goes over is the number of a descriptor. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { MemoryFile } from '@memsvc/shared'

const file = new MemoryFile('counter', 4)
// For readers. It stays open until the worker has made a descriptor of its own from the number.
const shared = file.shareReadOnly()

const worker = new Worker(new URL('worker.mjs', import.meta.url), {
  workerData: { fd: shared.getFd(), length: file.length() },
})
await once(worker, 'message')
shared.close()

for (const value of [1, 2, 3]) {
  file.writeInt32BE(0, value)
  worker.postMessage('look')
  const [seen] = await once(worker, 'message')
  console.log(`the worker sees ${seen}`)
}
worker.postMessage('end')
await once(worker, 'exit')
file.close()
