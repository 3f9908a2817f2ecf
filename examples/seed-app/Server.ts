import { ServiceManager } from '@memsvc/shared'
import { Log, Service } from './android.ts'
import { MemoryService } from './MemoryService.ts'

const LOG_TAG = 'shy.luo.ashmem.Server'

export class Server extends Service {
  #memoryService: MemoryService | null = null

  async onCreate(): Promise<void> {
    Log.i(LOG_TAG, 'Create Memory Service...')

    this.#memoryService = new MemoryService()

    try {
      await ServiceManager.addService('AnonymousSharedMemory', this.#memoryService)
      Log.i(LOG_TAG, 'Succeed to add memory service.')
    } catch (ex) {
      Log.i(LOG_TAG, 'Failed to add Memory Service.')
      console.error(ex)
    }
  }

  override onStart(): void {
    Log.i(LOG_TAG, 'Start Memory Service.')
  }

  override onDestroy(): void {
    Log.i(LOG_TAG, 'Destroy Memory Service.')
  }
}
