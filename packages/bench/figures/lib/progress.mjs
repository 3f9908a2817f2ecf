/**
 * What a long figure has counted so far, kept in build/ until it is done: started again, it goes on where it was. Of the same commit and
 * with the same options; else it begins anew.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeMachine } from '../../dist/src/machine.js'

const FOLDER = fileURLToPath(new URL('../../build/figures/', import.meta.url))

export class Progress {
  #path
  #state

  constructor(name, options) {
    this.#path = `${FOLDER}${name}.json`
    const about = { commit: describeMachine().commit, options }
    const before = read(this.#path)
    const isSame = before !== null && JSON.stringify(before.about) === JSON.stringify(about)
    this.#state = isSame ? before : { about, rows: {} }
  }

  /** The counts of a row, or `begin`. */
  of(row, begin) {
    return { ...begin, ...this.#state.rows[row] }
  }

  save(row, counts) {
    this.#state.rows[row] = counts
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(this.#path, JSON.stringify(this.#state))
  }

  /** All of it was told. */
  end() {
    rmSync(this.#path, { force: true })
  }
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
