/** The Server of the sample: makes the service and gives it a name. `node server.mjs [NAME]` */
import { ServiceManager } from '@memsvc/shared'
import { MemoryService } from './memory-service.mjs'

const name = process.argv[2] ?? 'SeedApp'

console.log('Create Memory Service...')
const manager = await ServiceManager.connect()
try {
  await manager.addService(name, new MemoryService())
  console.log('Succeed to add memory service.') // which keeps the process alive from here on
} catch (error) {
  console.error(`Failed to add Memory Service. ${error.message}`)
  process.exitCode = 1
  manager.close()
}
