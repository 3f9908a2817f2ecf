/** Which area a key is in: the first pattern that fits decides. A pattern is a key, or its beginning and a `*`. */

interface Pattern {
  readonly text: string
  readonly isPrefix: boolean
  readonly area: number
}

/** The patterns of the areas of a store, in their order. */
export class KeyPatterns {
  readonly #patterns: readonly Pattern[]
  /** The area of all keys, if the first pattern is `*`. */
  readonly #everything: number

  /** @param areas of each its patterns */
  constructor(areas: readonly (readonly string[])[]) {
    this.#patterns = areas.flatMap((patterns, area) => patterns.map((pattern) => parse(pattern, area)))
    const [first] = this.#patterns
    this.#everything = first?.isPrefix && first.text === '' ? first.area : -1
  }

  /** The number of the area; -1: none takes this key. */
  areaOf(key: string): number {
    if (this.#everything >= 0) return this.#everything
    const found = this.#patterns.find(({ text, isPrefix }) => (isPrefix ? key.startsWith(text) : key === text))
    return found?.area ?? -1
  }

  /** The areas in which keys with this prefix can be. */
  areasOf(prefix: string): number[] {
    const areas = new Set<number>()
    for (const { text, isPrefix, area } of this.#patterns) {
      const takesAll = isPrefix && prefix.startsWith(text)
      if (takesAll || text.startsWith(prefix)) areas.add(area)
      if (takesAll) break
    }
    return [...areas]
  }
}

function parse(pattern: string, area: number): Pattern {
  const isPrefix = pattern.endsWith('*')
  return { text: isPrefix ? pattern.slice(0, -1) : pattern, isPrefix, area }
}
