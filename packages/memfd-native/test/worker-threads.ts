/** The addon loads in every thread, and a thread that ends, or is ended, takes what it owns with it. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { fstat, Mapping, mmap, OwnedFd } from '../src/index.ts'
import { codeOf, fixturePath, leakChecked, PAGE, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)

function start(fixture: string, workerData?: unknown): Worker {
  return new Worker(fixturePath(fixture), { workerData })
}

t.test('four threads use the addon at once', async (t) => {
  using memfd = sizedMemfd()
  using mapping = Mapping.map(memfd, PAGE, mmap.PROT_READ, mmap.MAP_SHARED)
  const workers = [0, 4, 8, 12].map((offset) => start('writes-in-a-worker', { fd: memfd.fd, offset }))
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  t.same(
    [0, 4, 8, 12].map((offset) => mapping.readInt32BE(offset)),
    [1, 5, 9, 13],
  )
})

for (const how of ['terminate', 'exit']) {
  t.test(`a worker ended by ${how} leaves no descriptor, mapping or watcher of its own`, async (t) => {
    const worker = start('owns-everything', { how })
    const exit = once(worker, 'exit') // before the message: it may end in the same turn
    const [message] = await once(worker, 'message')
    t.equal(message, 'owning')
    if (how === 'terminate') await worker.terminate()
    await exit
    t.pass('the leak check sees none')
  })
}

t.test('workers are terminated in the middle of passing descriptors, and nothing is left', async (t) => {
  for (let round = 0; round < 5; round++) {
    const worker = start('passes-descriptors-forever')
    await once(worker, 'message')
    await worker.terminate()
  }
  t.pass('the leak check sees none')
})

t.test('a released descriptor moves from thread to thread', async (t) => {
  const worker = start('releases-a-descriptor')
  const exit = once(worker, 'exit')
  const [number] = (await once(worker, 'message')) as [number]
  await exit
  using adopted = OwnedFd.adopt(number)
  t.equal(fstat(adopted).size, 12_345, 'it outlives the thread that made it')
})

t.test('the end of one thread leaves the descriptors and mappings of another alone', async (t) => {
  using memfd = sizedMemfd()
  using mapping = Mapping.map(memfd, PAGE, mmap.PROT_READ, mmap.MAP_SHARED)
  await start('owns-everything', { how: 'terminate' }).terminate()
  t.equal(
    codeOf(() => fstat(memfd)),
    'ok',
  )
  t.equal(mapping.readInt32BE(0), 0)
})
