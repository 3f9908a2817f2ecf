/** Stores the results of the mutants that were tried, as one JSON line each, so that an interrupted run can continue. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson } from '../lib/workspace.mjs'

const FOLDER = '.mutate'
const EQUIVALENT = 'scripts/mutate/equivalent.json'

export class Results {
  #path
  #byKey = new Map()

  constructor(root) {
    mkdirSync(join(root, FOLDER), { recursive: true })
    this.#path = join(root, FOLDER, 'results.jsonl')
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
    for (const line of text.split('\n')) if (line !== '') this.#remember(JSON.parse(line))
  }

  /** The last that was found of a mutant, by whatever seed it was drawn. */
  get(key) {
    return this.#byKey.get(key)
  }

  add(result) {
    this.#remember(result)
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`)
  }

  /** How many mutants of a file each test has noticed. */
  noticedIn(file) {
    const counts = new Map()
    for (const result of this.#byKey.values()) {
      if (result.file === file && result.verdict === 'noticed') counts.set(result.by, (counts.get(result.by) ?? 0) + 1)
    }
    return counts
  }

  #remember(result) {
    this.#byKey.set(result.key, result)
  }
}

/** Mutants that change nothing that matters, by their key: each was looked at by hand, and has its reason. */
export function readEquivalent(root) {
  return new Map(readJson(root, EQUIVALENT).map((entry) => [entry.key, entry]))
}

/** The table of which test runs what; undefined: it was never made. */
export function readTable(root) {
  const path = join(root, FOLDER, 'coverage.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

export function writeTable(root, table) {
  mkdirSync(join(root, FOLDER), { recursive: true })
  writeFileSync(join(root, FOLDER, 'coverage.json'), JSON.stringify(table))
}
