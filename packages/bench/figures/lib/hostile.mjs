import { fileURLToPath } from 'node:url'
import { startCommand } from '@memsvc/shared/test-support'

const HOSTILE = fileURLToPath(new URL('../../../memory-service/test-support/fixtures/hostile', import.meta.url))
const STRANGER = 1234

/** The hostile clients of the tests, as a foreign user: they answer each line with one. Needs root. */
export class Hostile {
  #program

  constructor(scope, args) {
    if (process.getuid() !== 0) throw new Error('needs root: it becomes another user')
    this.#program = startCommand(['python3', '-IB', HOSTILE, ...args], { uid: STRANGER, stdin: 'pipe' })
    scope.teardown(() => this.#program.destroy())
  }

  async next() {
    const line = await this.#program.stdout.next()
    if (line === null) throw new Error(`the hostile program is gone: ${this.#program.stderr.text}`)
    return line
  }

  ask(line) {
    this.#program.say(line)
    return this.next()
  }
}
