import { MemoryFile, type ParcelFileDescriptor } from '@memsvc/shared'
import { Log } from './android.ts'
import { Stub } from './IMemoryService.ts'

const LOG_TAG = 'shy.luo.ashmem.MemoryService'

export class MemoryService extends Stub {
  #file: MemoryFile | null = null

  constructor() {
    super()
    try {
      this.#file = new MemoryFile('Ashmem', 4)
      this.setValue(0)
    } catch (ex) {
      Log.i(LOG_TAG, 'Failed to create memory file.')
      console.error(ex)
    }
  }

  getFileDescriptor(): ParcelFileDescriptor | null {
    Log.i(LOG_TAG, 'Get File Descriptor.')

    let pfd: ParcelFileDescriptor | null = null

    try {
      pfd = this.#file?.getParcelFileDescriptor() ?? null
    } catch (ex) {
      Log.i(LOG_TAG, 'Failed to get file descriptor.')
      console.error(ex)
    }

    return pfd
  }

  setValue(val: number): void {
    if (this.#file == null) {
      return
    }

    const buffer = new Uint8Array(4)
    buffer[0] = (val >>> 24) & 0xff
    buffer[1] = (val >>> 16) & 0xff
    buffer[2] = (val >>> 8) & 0xff
    buffer[3] = val & 0xff

    try {
      this.#file.writeBytes(buffer, 0, 0, 4)
      Log.i(LOG_TAG, `Set value ${val} to memory file. `)
    } catch (ex) {
      Log.i(LOG_TAG, 'Failed to write bytes to memory file.')
      console.error(ex)
    }
  }
}
