import t from 'tap'
import { checkTree, writeTree } from './support/check-tree.mjs'

function problemsOf(t, files) {
  const root = t.testdir()
  for (const [file, text] of Object.entries(files)) writeTree(root, { [`packages/${file}`]: `${text}\n` })
  return checkTree('check-parameters', root)
}

t.test('check-parameters is content with five parameters, and with booleans that stand apart', async (t) => {
  const files = {
    'a/src/sound.ts': `
      export function five(a: number, b: number, c: number, d: number, e: number): void {}
      export const apart = (a: boolean, b: number, c: boolean): void => five(a, true, b, false, c)
      export function named({ a, b, c, d, e, f }: Six, isOpen: boolean): void {}
      export class Shape {
        turn(this: Shape, a: number, b: number, c: number, d: number, e: number): void {}
      }`,
    'a/native/sound.cc': `
      // Comments (may, have, what, they, want, and, more) { so may
      const char* strings = "(a, b, c, d, e, f) {";
      int Five(int a, std::pair<int, int> b, int c, int (*d)(int, int), int e) { return Called(a, b, c, d, e, 1, 2); }
      int64_t Handed(Napi::Env env, int a, int b, int c, int d, int e) { return 0; }
      void Apart(bool a, int b, bool c) const;`,
    'a/dist/built.js': 'export function six(a, b, c, d, e, f) {}',
  }
  t.same(problemsOf(t, files), [])
})

const SIX = 'a: number, b: number, c: number, d: number, e: number, f: number'
const WRONG = [
  ['ts', `export function six(${SIX}): void {}`, 'six has 6 parameters'],
  ['ts', `export const six = (${SIX}): void => undefined`, 'six has 6 parameters'],
  ['ts', `export class Shape { constructor(${SIX}) {} }`, 'the constructor of Shape has 6 parameters'],
  ['ts', `export interface Shape { turn(${SIX}): void }`, 'turn has 6 parameters'],
  ['ts', `export type Turn = (${SIX}) => void`, 'Turn has 6 parameters'],
  ['mjs', 'export function six(a, b, c, d, e, ...f) {}', 'six has 6 parameters'],
  ['tsx', `export const Page = (${SIX}) => <p>{f}</p>`, 'Page has 6 parameters'],
  ['js', 'export function six(a, b, c, d, e, f) {}', 'six has 6 parameters'],
  ['ts', 'export function pair(a: boolean, b: boolean): void {}', 'pair has two boolean parameters side by side'],
  ['ts', 'export function pair(a = true, b = false) {}', 'pair has two boolean parameters side by side'],
  ['ts', 'export const x = shape.turn(1, true, false)', 'turn is called with two booleans side by side'],
  ['ts', 'export const x = new Shape(true, false)', 'Shape is called with two booleans side by side'],
  ['cc', 'int Six(int a, int b, int c, int d, int e,\n  int f) {}', 'Six has 6 parameters'],
  ['h', 'inline int Six(int a, int b, int c, int d, int e, int f) const { return 0; }', 'Six has 6 parameters'],
  ['cc', 'auto six = [](int a, int b, int c, int d, int e, int f) { return 0; };', 'a lambda has 6 parameters'],
  ['cc', 'Hub::Hub(int a, int b, int c, int d, int e, int f)\n    : a_(a) {}', 'Hub has 6 parameters'],
  ['cc', 'void Pair(bool a, const bool b) {}', 'Pair has two boolean parameters side by side'],
]

for (const [ending, text, problem] of WRONG) {
  t.test(`check-parameters refuses ${text.replace('\n', ' ')}`, async (t) => {
    const file = `packages/a/src/wrong.${ending}`
    t.same(problemsOf(t, { [`a/src/wrong.${ending}`]: text }), [`${file}:1: ${problem}`])
  })
}
