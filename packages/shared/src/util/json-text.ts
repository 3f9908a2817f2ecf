/** JSON of any depth: `JSON.stringify` needs stack for each level, and `JSON.parse` of a text that somebody else wrote does not. */

/** An array or object that is being written. */
interface Level {
  /** What comes before each member, but for its comma, and the member. */
  readonly members: readonly (readonly [before: string, value: unknown])[]
  written: number
  readonly end: string
}

/** As `JSON.stringify` of what `JSON.parse` has made. @param indent by so many spaces, unless it is too deep */
export function jsonText(value: unknown, indent = 0): string {
  try {
    return JSON.stringify(value, null, indent)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return deepText(value)
  }
}

function deepText(whole: unknown): string {
  const pieces: string[] = []
  const levels: Level[] = []
  const write = (before: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      pieces.push(before, JSON.stringify(value))
      return
    }
    const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
    pieces.push(before, begin as string)
    levels.push({ members: membersOf(value), written: 0, end: end as string })
  }
  write('', whole)
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const member = level.members[level.written]
    if (member === undefined) {
      pieces.push(level.end)
      levels.pop()
      continue
    }
    const [before, value] = member
    write(level.written === 0 ? before : `,${before}`, value)
    level.written += 1
  }
  return pieces.join('')
}

function membersOf(value: object): [before: string, value: unknown][] {
  if (Array.isArray(value)) return value.map((member) => ['', member])
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return members.map(([name, member]) => [`${JSON.stringify(name)}:`, member])
}
