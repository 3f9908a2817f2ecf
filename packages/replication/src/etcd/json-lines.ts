/** JSON values, one a line, as they come; a line that gets too long ends it. */
import { StringDecoder } from 'node:string_decoder'
import { EngineError } from '../engine/engine.ts'

export async function* jsonLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<unknown, void> {
  const decoder = new StringDecoder('utf8')
  let parts: string[] = []
  let length = 0
  for await (const chunk of chunks) {
    const lines = decoder.write(chunk).split('\n')
    for (const [i, line] of lines.entries()) {
      parts.push(line)
      length += line.length
      if (length > maxBytes) throw new EngineError('tooLarge', `a line of more than ${maxBytes} bytes`)
      if (i === lines.length - 1) break
      const text = parts.join('')
      parts = []
      length = 0
      if (text !== '') yield parse(text)
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EngineError('unknown', 'etcd sent a line that is no JSON', { cause })
  }
}
