/** Values of a size for the benchmarks of the store, the same for all contenders. */

/** A document whose JSON has about so many bytes. */
export function documentOf(bytes: number): Record<string, unknown> {
  const document: Record<string, unknown> = { version: 1, name: 'routes', isOn: true }
  for (let i = 0; JSON.stringify(document).length < bytes; i++) {
    document[`route-${i}`] = { host: `10.0.0.${i}`, port: 8000 + i, weights: [1, 0.5, i], tags: ['a', 'b'] }
  }
  return document
}
