/**
 * A program that uses memsvc, for every runtime: `PROGRAM REGISTRY`, with a running daemon. It prints a line for each thing that
 * works, and ends by itself, because nothing that is idle keeps a process alive.
 */
import { deepEqual, equal } from 'node:assert/strict'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { defineInterface, MemoryFile, ServiceManager, SharedStore, SharedValue, types } from '@memsvc/shared'

const ICalculator = defineInterface('example.ICalculator', {
  square: { code: 1, args: [types.int], returns: types.int },
  follow: { code: 2, args: [types.binder] },
  memory: { code: 3, args: [], returns: types.parcelFileDescriptor },
})
const IFollower = defineInterface('example.IFollower', { told: { code: 1, args: [types.int], oneway: true } })

const WORKERS_NAME = `example.worker.${process.pid}`

class Calculator extends ICalculator.Stub {
  #file = new MemoryFile('squares', 4)
  #followers = []

  square(number) {
    for (const follower of this.#followers)
      void IFollower.asInterface(follower)
        .told(number)
        .catch(() => {})
    return number * number
  }

  follow(follower) {
    this.#followers.push(follower)
  }

  memory() {
    this.#file.writeBytes(Buffer.from('four'), 0, 0, 4)
    return this.#file.shareReadOnly()
  }
}

class Follower extends IFollower.Stub {
  told = () => {}
}

async function take(iterable, count) {
  const taken = []
  for await (const each of iterable) {
    taken.push(each)
    if (taken.length === count) return taken
  }
}

const STEPS = {
  async 'a value is set, read and watched'(path) {
    const manager = await ServiceManager.connect({ path })
    const value = await SharedValue.open(manager)
    await value.set(1)
    equal(value.get(), 1)
    const watching = take(value.changes(), 3)
    for (const number of [2, 3]) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await value.set(number)
    }
    await Promise.race([watching, new Promise((resolve) => setTimeout(resolve, 100))])
    await value.set(4)
    equal((await watching).length, 3)
    value.close()
    manager.close()
  },

  async 'a store is written, read and watched'(path) {
    const store = await SharedStore.open(undefined, { path })
    const changes = take(store.changes('seen/'), 1)
    await store.set('seen/it', { yes: true })
    deepEqual(store.get('seen/it'), { yes: true })
    equal((await changes)[0].key, 'seen/it')
    await Promise.all(Array.from({ length: 200 }, (_, i) => store.set(`many/${i}`, i)))
    equal(store.get('many/199'), 199)
    store.close()
  },

  async 'a service is published, called, calls back and hands out memory'(path) {
    const [server, client] = [await ServiceManager.connect({ path }), await ServiceManager.connect({ path })]
    const name = `example.calculator.${process.pid}`
    await server.addService(name, new Calculator())
    const binder = await client.getService(name)
    const calculator = ICalculator.asInterface(binder)
    deepEqual(await Promise.all([2, 3, 4].map((number) => calculator.square(number))), [4, 9, 16])
    const follower = new Follower()
    const told = new Promise((resolve) => {
      follower.told = resolve
    })
    await calculator.follow(follower)
    await calculator.square(5)
    equal(await told, 5)
    const descriptor = (await calculator.memory()).getFileDescriptor()
    const file = new MemoryFile(descriptor, 4, 'r')
    const bytes = Buffer.alloc(4)
    file.readBytes(bytes, 0, 0, 4)
    equal(bytes.toString(), 'four')
    file.close()
    binder.close()
    client.close()
    server.close()
  },
}

async function run(path) {
  for (const [name, step] of Object.entries(STEPS)) {
    await step(path)
    console.log(`ok - ${name}${isMainThread ? '' : ', in a worker'}`)
  }
}

/** A worker does the same, and then publishes a service whose death is told. */
async function endWorker(path) {
  const worker = new Worker(new URL(import.meta.url), { workerData: path })
  await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const manager = await ServiceManager.connect({ path })
  const binder = await manager.getService(WORKERS_NAME)
  const died = new Promise((resolve) => binder.linkToDeath({ binderDied: resolve }))
  await worker.terminate()
  await died
  manager.close()
  console.log('ok - a worker ends, and the death of its service is told')
}

if (isMainThread) {
  await run(process.argv[2])
  await endWorker(process.argv[2])
} else {
  await run(workerData)
  const manager = await ServiceManager.connect({ path: workerData })
  await manager.addService(WORKERS_NAME, new Calculator())
  parentPort.postMessage('done')
}
