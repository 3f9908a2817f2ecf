/** Publishes a JSON file, and again at each SIGHUP: `node publisher.mjs config.json` */
import { readFileSync } from 'node:fs'
import { MemoryFile, ServiceManager } from '@memsvc/shared'
import { IConfig, IConfigListener, SERVICE_NAME } from './iconfig.mjs'

class ConfigService extends IConfig.Stub {
  #file = null
  #listeners = new Set()

  /** A region of its own for each configuration: nobody ever sees one half written, and its size is its length. */
  publish(bytes) {
    this.#file?.close() // who has it mapped keeps it
    this.#file = new MemoryFile('config', bytes.length)
    this.#file.writeBytes(bytes, 0, 0, bytes.length)
    for (const listener of this.#listeners) {
      IConfigListener.asInterface(listener)
        .onChange()
        .catch(() => {}) // of one that is dying: see addListener
    }
  }

  getFileDescriptor() {
    return this.#file.shareReadOnly() // a fresh one for each caller, closed once it is sent
  }

  addListener(listener) {
    listener.linkToDeath({ binderDied: () => this.#listeners.delete(listener) })
    this.#listeners.add(listener)
  }
}

const [path] = process.argv.slice(2)
const service = new ConfigService()
const publish = () => service.publish(Buffer.from(JSON.stringify(JSON.parse(readFileSync(path, 'utf8')))))

publish()
process.on('SIGHUP', () => {
  try {
    publish()
  } catch (error) {
    console.error(`${path} is not published: ${error.message}`) // the last one stays
  }
})
const manager = await ServiceManager.connect()
await manager.addService(SERVICE_NAME, service)
console.log(`${path} is published`)
