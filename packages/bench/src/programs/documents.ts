/** Values of a size for the benchmarks of the store, the same for all contenders. */

/** A document whose JSON has about so many bytes. */
export function documentOf(bytes: number): Record<string, unknown> {
  const document: Record<string, unknown> = { version: 1, name: 'routes', isOn: true }
  for (let i = 0; JSON.stringify(document).length < bytes; i++) {
    document[`route-${i}`] = { host: `10.0.0.${i}`, port: 8000 + i, weights: [1, 0.5, i], tags: ['a', 'b'] }
  }
  return document
}

/** So many names. */
export function manyKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key-${i}`)
}

/** In place, and the same at each run: by a linear congruence. */
export function shuffled<T>(list: T[]): T[] {
  let state = 1
  for (let i = list.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const j = state % (i + 1)
    const [a, b] = [list[i] as T, list[j] as T]
    list[i] = b
    list[j] = a
  }
  return list
}
