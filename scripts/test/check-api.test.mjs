import t from 'tap'
import { checkTree, writeTree } from './support/check-tree.mjs'

/** The problems of many libraries, of which each is one case: a run of the compiler takes seconds. */
function problemsOf(t, cases) {
  const root = t.testdir()
  for (const [name, files] of Object.entries(cases)) {
    writeTree(root, { [`packages/${name}/package.json`]: { name } })
    for (const [file, text] of Object.entries(files)) writeTree(root, { [`packages/${name}/src/${file}`]: `${text}\n` })
  }
  return checkTree('check-api', root)
}

const SOUND = `
/** A point. */
export interface Point {
  /** In metres. */
  readonly x: number
}
/** A shape. */
export class Shape implements Point {
  /** The only one. */
  static readonly UNIT = 1
  readonly x = 1
  #secret: any
  private hidden: any
  /** @param secret kept */
  constructor(secret: unknown) {
    this.#secret = this.hidden = secret
  }
  /** @internal */
  forUs(): void {}
}
/** Twice as much. */
function twice(x: number): number {
  return 2 * x
}
/** Functions, and a number of the kernel's. */
export const all = { twice, O_RDONLY: 0 }
`

t.test('check-api is content with what is documented, and with what is not public', async (t) => {
  const cases = {
    sound: { 'index.ts': SOUND },
    'not-exported': { 'index.ts': SOUND, 'other.ts': 'export class X { y = 1 }' },
    'no-library': { 'main.ts': 'export const x: any = 1' },
    'of-another-library': {
      'index.ts': `import { all } from 'sound'\n/** Four. */\nexport const four = () => all.twice(2)`,
    },
  }
  t.same(problemsOf(t, cases), [])
})

const DOCUMENTED = '/** Something. */\nexport '
const LACKING = [
  ['export class Shape {}', 'Shape'],
  [`export { Other } from './other.ts'`, 'Other'],
  [`${DOCUMENTED}class Shape { turn(): void {} }`, 'Shape.turn'],
  [`${DOCUMENTED}class Shape { static readonly UNIT = 1 }`, 'Shape.UNIT'],
  [`${DOCUMENTED}class Shape { constructor(x: number) { void x } }`, 'Shape.constructor'],
  [`${DOCUMENTED}class Shape { [Symbol.dispose](): void {} }`, 'Shape.[Symbol.dispose]'],
  [`class Base { x = 1 }\n${DOCUMENTED}class Shape extends Base {}`, 'Shape.x'],
  [`${DOCUMENTED}interface Point { x: number }`, 'Point.x'],
  [`${DOCUMENTED}const all = { go: () => {} }`, 'all.go'],
]

t.test('check-api names every export and public member without a doc comment', async (t) => {
  const sources = LACKING.map(([source]) => ({ 'index.ts': source, 'other.ts': 'export class Other {}' }))
  const problems = LACKING.map(([, name], i) => `packages/${i}/src/index.ts: no doc comment on ${name}`)
  t.same(problemsOf(t, { ...sources }), problems)
})

const ANY = [
  [`${DOCUMENTED}function go(x: any): void { void x }`, 'x'],
  [`${DOCUMENTED}function go() { return JSON.parse('1') }`, 'go'],
  [`${DOCUMENTED}type Map = Record<string, any[]>`, 'Map'],
  [`import { x } from 'nowhere'\n${DOCUMENTED}const y = x`, 'y'],
]

t.test('check-api finds every any, also one that the compiler inferred', async (t) => {
  const problems = ANY.map(([, name], i) => `packages/${i}/src/index.ts: the type of ${name} has an any`)
  t.same(problemsOf(t, { ...ANY.map(([source]) => ({ 'index.ts': source })) }), problems)
})
