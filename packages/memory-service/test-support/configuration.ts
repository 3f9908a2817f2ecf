/** A configuration file for a daemon of a test. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

export class ConfigurationFile {
  readonly path: string

  /** @param content as JSON, or as it is */
  constructor(t: Test, content: object | string) {
    this.path = join(t.testdir({}), 'memsvc.json')
    this.write(content)
  }

  write(content: object | string): void {
    writeFileSync(this.path, typeof content === 'string' ? content : JSON.stringify(content))
    chmodSync(this.path, 0o600)
  }
}
