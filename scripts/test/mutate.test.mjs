import t from 'tap'
import { readJson, readText, repositoryRoot } from '../lib/workspace.mjs'
import { mutateCpp } from '../mutate/cpp.mjs'
import { draw, listMutants } from '../mutate/mutants.mjs'
import { mutateTypeScript } from '../mutate/typescript.mjs'

/** Each mutant as the text it makes, by kind. */
function mutants(mutate, text) {
  return mutate('a', text).map(({ kind, start, end, replacement }) => [
    kind,
    text.slice(0, start) + replacement + text.slice(end),
  ])
}

t.test('in TypeScript a guard is dropped, negated, and loses a part', async (t) => {
  t.strictSame(mutants(mutateTypeScript, 'if (a && b) throw c'), [
    ['guard', '{}'],
    ['negation', 'if (!(a && b)) throw c'],
    ['operand', 'if (a) throw c'],
    ['operand', 'if (b) throw c'],
  ])
})

t.test('in TypeScript a cleanup, a count, an await, a flag and a bound are dropped or moved', async (t) => {
  const text = 'fd.close(); this.used -= 1; await work(); open(A | B); log(a < b)'
  t.strictSame(
    mutants(mutateTypeScript, text).map(([kind]) => kind),
    ['call', 'count', 'await', 'flag', 'flag', 'comparison'],
  )
  t.strictSame(mutants(mutateTypeScript, 'const MAX = 5'), [['limit', 'const MAX = 6']])
  t.strictSame(mutants(mutateTypeScript, 'const WAIT_MS = 5'), [], 'what is tuned is not guarded')
  t.strictSame(mutants(mutateTypeScript, 'function f(): void { a() }'), [
    ['early', 'function f(): void { return;\na() }'],
  ])
})

t.test('in C++ a guard, a flag, a cleanup and a bound are dropped or moved, line by line', async (t) => {
  t.strictSame(mutants(mutateCpp, 'if (fd < 0) return Errno(env);  // why'), [
    ['guard', '  // why'],
    ['negation', 'if (!(fd < 0)) return Errno(env);  // why'],
    ['comparison', 'if (fd <= 0) return Errno(env);  // why'],
  ])
  t.strictSame(mutants(mutateCpp, 'n = send(fd, MSG_DONTWAIT | MSG_NOSIGNAL);'), [
    ['flag', 'n = send(fd, MSG_DONTWAIT);'],
    ['flag', 'n = send(fd, MSG_NOSIGNAL);'],
  ])
  t.strictSame(mutants(mutateCpp, '  ::close(fd);'), [['call', '']])
  t.strictSame(mutants(mutateCpp, ' * a comment: if (a) return b;'), [])
})

t.test('a draw is the same for the same seed, and another for another', async (t) => {
  const all = listMutants(repositoryRoot)
  const first = (seed) =>
    draw(all, seed)
      .slice(0, 20)
      .map(({ key }) => key)
  t.strictSame(first('1'), first('1'))
  t.notSame(first('1'), first('2'))
  t.equal(new Set(all.map(({ key }) => key)).size, all.length, 'each mutant has a name of its own')
})

t.test('every guard that must be noticed is still there, once, with its test', async (t) => {
  for (const { file, was, becomes, test } of readJson(repositoryRoot, 'scripts/mutate/must-notice.json')) {
    t.ok(readText(repositoryRoot, file).includes(was), `${file}: ${was}`)
    t.not(was, becomes)
    t.ok(readText(repositoryRoot, test.replace('/dist/', '/').replace(/\.js$/, '.ts')).length > 0, test)
  }
})

t.test('every mutant that is listed as of no effect can still be drawn, and has its reason', async (t) => {
  const known = new Set(listMutants(repositoryRoot).map(({ key }) => key))
  for (const { key, file, reason } of readJson(repositoryRoot, 'scripts/mutate/equivalent.json')) {
    t.ok(known.has(key), `${file} ${key}: its code has changed, and it with it`)
    t.ok(reason.length > 0)
  }
})
