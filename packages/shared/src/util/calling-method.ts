/**
 * Which method of this package was called with a wrong argument. The check that finds out may be several functions deeper, and is the
 * same for many; the stack knows, and is looked at only when there is an error.
 */

/**
 * The file of this package, as published or built; null if it is a part of another bundle, where its functions cannot
 * be distinguished from others.
 */
const HOME = /^(.*\/shared\/)dist\/(bundle|src\/util)$/.exec(import.meta.dirname)?.[1] ?? null
const FRAME = /^ {4}at (?:async )?(?:(.+) \()?(?:file:\/\/)?(\/.+?):\d+:\d+\)?$/
/** Calls of functions that are not written in JavaScript. */
const NEUTRAL = /\(<anonymous>\)$|\(native\)$|^ {4}at StandIn\./
/** Other functions that are called from outside do not belong to a class. */
const FUNCTIONS = ['asInterface', 'defineInterface', 'withOptions']
const ASHMEM = /^(createRegion|valid|getSizeRegion|(un)?pinRegion|setProtRegion|get(ProtMask|PinStatus)|purge(All)?)$/
const DEEP = 20

/** The message, with the method before it where that is known. @param thrower the constructor, which is not looked at */
export function inMethod(message: string | undefined, thrower: new (...args: never[]) => object): string | undefined {
  const method = HOME === null ? null : callingMethod(HOME, stackOf(thrower))
  return method === null ? message : `${method}: ${message}`
}

/** Of nothing where no stacks are recorded, or somebody prepares them. */
function stackOf(thrower: new (...args: never[]) => object): string[] {
  const limit = Error.stackTraceLimit
  if (!(limit > 0)) return []
  const here: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = Math.max(limit, DEEP)
    Error.captureStackTrace(here, thrower)
    return typeof here.stack === 'string' ? here.stack.split('\n').filter((line) => line.startsWith('    at ')) : []
  } catch {
    return [] // it is frozen
  } finally {
    restore(limit)
  }
}

function restore(limit: number): void {
  try {
    Error.stackTraceLimit = limit
  } catch {
    // it is frozen
  }
}

/** The last function of this package before one of another package; null if only Node or memfd-native called it. */
function callingMethod(home: string, stack: readonly string[]): string | null {
  let ours: string | null = null
  let isAwaited = false
  for (const line of stack) {
    if (NEUTRAL.test(line)) continue
    const [, name = '', path = ''] = FRAME.exec(line) ?? []
    if (!isIn(home, path)) return path === '' || path.includes('/memfd-native/') ? null : ours
    ours = publicName(name)
    isAwaited = line.startsWith('    at async ')
  }
  return isAwaited ? ours : null
}

/** The last of them where Node knows the sources (`--enable-source-maps`). */
function isIn(home: string, path: string): boolean {
  return ['dist/bundle/', 'dist/src/', 'src/'].some((folder) => path.startsWith(home + folder))
}

/** As a program would write it. */
function publicName(name: string): string | null {
  const method = name.replace(/ \[as .*\]$/, '').replace(/^(Object|Function|Module)\./, '')
  const plain = method.replace(/\.set (?=\w)/, '.') // a property that is set
  if (/^(RemoteProxy|LimitedLocal)\.|#|<anonymous>/.test(plain)) return null
  if (ASHMEM.test(plain)) return `ashmem.${plain}`
  return /^new \w|^\w+\.\w/.test(plain) || FUNCTIONS.includes(plain) ? plain : null
}
