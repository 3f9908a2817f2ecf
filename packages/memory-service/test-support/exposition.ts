/** Prometheus' text format 0.0.4, read by its grammar and nothing else: whatever is not in it is an error. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|Inf)|NaN)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/gy

export interface Exposition {
  readonly types: ReadonlyMap<string, string>
  readonly samples: readonly Sample[]
}

/** @throws Error with the line that is wrong */
export function readExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const types = new Map<string, string>()
  const samples: Sample[] = []
  for (const line of text.slice(0, -1).split('\n')) {
    const [, type, kind = ''] = TYPE.exec(line) ?? []
    if (type !== undefined) {
      if (types.has(type)) throw new Error(`a second type: ${line}`)
      types.set(type, kind)
    } else if (!HELP.test(line)) samples.push(readSample(line, types))
  }
  return { types, samples }
}

function readSample(line: string, types: ReadonlyMap<string, string>): Sample {
  const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? []
  if (!types.has(name)) throw new Error(`no type goes before: ${line}`)
  if (types.get(name) === 'counter' && !name.endsWith('_total')) throw new Error(`a counter's name: ${line}`)
  return { name, labels: readLabels(labels), value: Number(value) }
}

function readLabels(text: string): Record<string, string> {
  const found = [...text.matchAll(LABEL)]
  if (found.reduce((length, [whole]) => length + whole.length, 0) !== text.length) throw new Error(`labels: ${text}`)
  return Object.fromEntries(found.map(([, name, value]) => [name, value]))
}
