import t from 'tap'
import { choose } from '../src/choice.ts'
import { readOptions } from '../src/options.ts'

t.test('names and options may be mixed', (t) => {
  const options = readOptions(['read', '--rounds', '3', 'attach'])
  t.same(options.operands, ['read', 'attach'])
  t.equal(options.rounds, 3)
  t.end()
})

t.test('nonsense is refused', (t) => {
  const refused = [['--rounds', '0'], ['--rounds', 'many'], ['--rounds', '1.5'], ['--fast'], ['--docs', 'read']]
  for (const args of refused) t.throws(() => readOptions(args), args.join(' '))
  t.end()
})

t.test('no names mean all benchmarks, and a name that none has is an error that tells the others', (t) => {
  const all = ['read', 'attach'].map((name) => ({ name, title: '', about: '', groups: [] }))
  t.same(choose(all, []), all)
  t.same(choose(all, ['attach']), all.slice(1))
  t.throws(() => choose(all, ['set']), { message: /no benchmark set; there are read, attach/ })
  t.end()
})
