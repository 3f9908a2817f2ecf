/** A program of figures/programs in a process of its own. It is asked, and it answers: one message each. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export class Child {
  #process
  #pending = new Map()
  #lastId = 0

  /** @param name of the file in figures/programs */
  constructor(scope, name) {
    this.#process = fork(fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url)))
    this.#process.on('message', ({ id, answer, error }) => {
      const { resolve, reject } = this.#pending.get(id)
      this.#pending.delete(id)
      if (error === undefined) resolve(answer)
      else reject(new Error(`${name}: ${error}`))
    })
    this.#process.on('exit', (code, signal) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`${name} ended (${code ?? signal})`))
    })
    scope.teardown(() => this.#end())
  }

  /** What the program's function of this name answers. */
  ask(question, options = {}) {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#process.send({ id, question, options })
    })
  }

  kill(signal) {
    this.#process.kill(signal)
  }

  async #end() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}

/** `count` things, divided among as many children: how many each one gets. */
export function shares(count, children) {
  return Array.from({ length: children }, (_, i) => Math.floor((count + i) / children))
}

/** In the program: the functions that may be asked for. It ends with its parent. */
export function answer(functions) {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, question, options }) => {
    try {
      process.send({ id, answer: await functions[question](options) })
    } catch (error) {
      process.send({ id, error: error.stack })
    }
  })
}
