/** The reader: its own descriptor, its own mapping of the same memory. */
import { parentPort, workerData } from 'node:worker_threads'
import { MemoryFile, ParcelFileDescriptor } from '@memsvc/shared'

const mine = ParcelFileDescriptor.fromFd(workerData.fd) // a duplicate: this thread's, and to be closed here
const file = new MemoryFile(mine.getFileDescriptor(), workerData.length, 'r')
parentPort.postMessage('ready')

parentPort.on('message', (word) => {
  if (word === 'look') parentPort.postMessage(file.readInt32BE(0))
  else {
    file.close() // and the descriptor with it
    parentPort.close()
  }
})
