import { MemoryFile, ServiceManager } from '@memsvc/shared'
import { Button, EditText, Log, type OnClickListener } from './android.ts'
import { type IMemoryService, Stub } from './IMemoryService.ts'

const LOG_TAG = 'shy.luo.ashmem.Client'

export class Client implements OnClickListener {
  #memoryService: IMemoryService | null = null
  #memoryFile: MemoryFile | null = null

  readonly valueText = new EditText()
  readonly readButton = new Button()
  readonly writeButton = new Button()
  readonly clearButton = new Button()

  async onCreate(): Promise<void> {
    const ms = await this.#getMemoryService()
    if (ms == null) {
      Log.i(LOG_TAG, 'start shy.luo.ashmem.server')
    } else {
      Log.i(LOG_TAG, 'Memory Service has started.')
    }

    this.readButton.setOnClickListener(this)
    this.writeButton.setOnClickListener(this)
    this.clearButton.setOnClickListener(this)

    Log.i(LOG_TAG, 'Client Activity Created.')
  }

  async onClick(v: Button): Promise<void> {
    if (v === this.readButton) {
      let val = 0

      const mf = await this.#getMemoryFile()
      if (mf != null) {
        try {
          const buffer = new Int8Array(4)
          const bytes = new Uint8Array(buffer.buffer)
          mf.readBytes(bytes, 0, 0, 4)

          const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = buffer
          val = (b0 << 24) | ((b1 & 0xff) << 16) | ((b2 & 0xff) << 8) | (b3 & 0xff)
        } catch (ex) {
          Log.i(LOG_TAG, 'Failed to read bytes from memory file.')
          console.error(ex)
        }
      }

      const text = String(val)
      this.valueText.setText(text)
    } else if (v === this.writeButton) {
      const text = this.valueText.getText()
      const val = Number.parseInt(text, 10)

      const ms = await this.#getMemoryService()
      if (ms != null) {
        try {
          await ms.setValue(val)
        } catch (ex) {
          Log.i(LOG_TAG, 'Failed to set value to memory service.')
          console.error(ex)
        }
      }
    } else if (v === this.clearButton) {
      const text = ''
      this.valueText.setText(text)
    }
  }

  async #getMemoryService(): Promise<IMemoryService | null> {
    if (this.#memoryService != null) {
      return this.#memoryService
    }

    this.#memoryService = Stub.asInterface(await ServiceManager.getService('AnonymousSharedMemory'))

    Log.i(LOG_TAG, this.#memoryService != null ? 'Succeed to get memory service.' : 'Failed to get memory service.')

    return this.#memoryService
  }

  async #getMemoryFile(): Promise<MemoryFile | null> {
    if (this.#memoryFile != null) {
      return this.#memoryFile
    }

    const ms = await this.#getMemoryService()
    if (ms != null) {
      try {
        const pfd = await ms.getFileDescriptor()
        if (pfd == null) {
          Log.i(LOG_TAG, 'Failed to get memory file descriptor.')
          return null
        }

        try {
          const fd = pfd.getFileDescriptor()
          if (fd == null) {
            Log.i(LOG_TAG, 'Failed to get memory file descriptor.')
            return null
          }

          this.#memoryFile = new MemoryFile(fd, 4, 'r')
        } catch (ex) {
          Log.i(LOG_TAG, 'Failed to create memory file.')
          console.error(ex)
        }
      } catch (ex) {
        Log.i(LOG_TAG, 'Failed to get file descriptor from memory service.')
        console.error(ex)
      }
    }

    return this.#memoryFile
  }
}
