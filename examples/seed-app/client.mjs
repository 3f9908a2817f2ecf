/** The Client of the sample, its buttons as arguments: `node client.mjs read`, `node client.mjs write 42`, and a name. */
import { MemoryFile, ServiceManager } from '@memsvc/shared'
import { IMemoryService } from './imemory-service.mjs'

const BUTTONS = {
  read: async ([name]) => console.log(await read(await getMemoryService(name))),
  write: async ([value, name]) => (await getMemoryService(name)).setValue(Number(value)),
}

async function getMemoryService(name = 'SeedApp') {
  const manager = await ServiceManager.connect()
  const binder = await manager.getService(name)
  if (binder === null) throw new Error(`no service named ${name}: start server.mjs`)
  return IMemoryService.Stub.asInterface(binder)
}

/** The value, from the memory. */
async function read(service) {
  const descriptor = await service.getFileDescriptor()
  const file = new MemoryFile(descriptor.getFileDescriptor(), 4, 'r') // owns the descriptor from here on
  const buffer = Buffer.alloc(4)
  file.readBytes(buffer, 0, 0, 4)
  file.close()
  return (buffer[0] << 24) | (buffer[1] << 16) | (buffer[2] << 8) | buffer[3]
}

const [button, ...args] = process.argv.slice(2)
if (!(button in BUTTONS)) {
  console.error('usage: client.mjs read [NAME] | write VALUE [NAME]')
  process.exit(2)
}
await BUTTONS[button](args)
