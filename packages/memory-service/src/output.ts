/** Where the data of a command goes: stdout, one line at a time. A reader that goes away ends the program silently. */
import { writeSync } from 'node:fs'
import { errorCode } from '@memsvc/shared'

export class Output {
  line(text: string): void {
    try {
      writeSync(1, `${text}\n`)
    } catch (error) {
      if (errorCode(error) !== 'EPIPE') throw error
      process.exit(0)
    }
  }

  json(value: object): void {
    this.line(JSON.stringify(value))
  }
}
