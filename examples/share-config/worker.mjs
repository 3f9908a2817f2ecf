/** Reads the configuration and follows it, over restarts of the publisher too: `node worker.mjs`, any number of times. */
import { errorCode, MemoryFile, ServiceManager } from '@memsvc/shared'
import { IConfig, IConfigListener, SERVICE_NAME } from './iconfig.mjs'

class Listener extends IConfigListener.Stub {
  #load

  constructor(load) {
    super()
    this.#load = load
  }

  /** Oneway calls are carried out one after the other, so that a slow load is never overtaken by a later one. */
  onChange() {
    return this.#load()
  }
}

/** Maps the memory that the publisher wrote; no byte goes through a socket. */
async function readConfig(config) {
  const descriptor = (await config.getFileDescriptor()).getFileDescriptor()
  const size = MemoryFile.getSize(descriptor)
  const file = new MemoryFile(descriptor, size, 'r') // checks that nobody can cut it off, and owns the descriptor
  const bytes = Buffer.alloc(size)
  file.readBytes(bytes, 0, 0, size)
  file.close()
  return JSON.parse(bytes.toString())
}

async function follow(binder) {
  const death = new Promise((resolve) => binder.linkToDeath({ binderDied: resolve }))
  const config = IConfig.asInterface(binder)
  const load = async () => console.log('config', await readConfig(config))
  await config.addListener(new Listener(load))
  await load()
  await death
  console.log('the publisher is gone: going on with what we have')
}

const manager = await ServiceManager.connect()
for (;;) {
  const binder = await manager.waitForService(SERVICE_NAME)
  try {
    await follow(binder)
  } catch (error) {
    if (errorCode(error) !== 'ERR_DEAD_OBJECT') throw error // it was found just before the registry knew of its death
  }
}
