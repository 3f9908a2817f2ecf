/** The service: 4 bytes of shared memory, one big-endian int at offset 0. */
import { MemoryFile } from '@memsvc/shared'
import { IMemoryService } from './imemory-service.mjs'

export class MemoryService extends IMemoryService.Stub {
  #file = null

  constructor() {
    super()
    try {
      this.#file = new MemoryFile('Ashmem', 4)
      this.setValue(0)
    } catch (error) {
      console.error('Failed to create memory file.', error)
    }
  }

  /** Read-only and sealed: unlike the sample's, its holder cannot write, whatever mode it maps it with. */
  getFileDescriptor() {
    console.log('Get File Descriptor.')
    return this.#file?.shareReadOnly() ?? null
  }

  setValue(value) {
    if (this.#file === null) return
    const buffer = Buffer.alloc(4)
    buffer[0] = value >>> 24
    buffer[1] = value >>> 16
    buffer[2] = value >>> 8
    buffer[3] = value
    this.#file.writeBytes(buffer, 0, 0, 4) // an aligned 4 bytes: one access, which no reader sees half done
    console.log(`Set value ${value} to memory file.`)
  }
}
