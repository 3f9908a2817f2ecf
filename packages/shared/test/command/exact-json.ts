import t from 'tap'
import { errorObject } from '../../src/command/error-object.ts'
import { isExact, parseExact } from '../../src/command/exact-json.ts'
import { EXIT, ToolError } from '../../src/command/exit-codes.ts'

const INVALID = 'ERR_INVALID_ARG_VALUE'

t.test('an integer of more digits than a number keeps is refused, wherever it is', async (t) => {
  for (const number of ['12345678901234567890', '9007199254740993', '-9007199254740993', `${'1'.repeat(300)}`]) {
    for (const text of [number, `[${number}]`, `{"a":[1,{"b":${number}}]}`, ` ${number} `, `["x\\\\",${number},"y"]`]) {
      t.throws(() => parseExact(text), { code: INVALID, message: /more digits.*nearest.*quotes/ }, text)
    }
  }
})

t.test('integers that a number keeps are accepted, and so is other JSON', async (t) => {
  const kept = ['9007199254740991', '9007199254740994', '100000000000000000000', '1e20', '-0', '0.12345678901234567890']
  for (const number of kept) t.equal(parseExact(number), Number(number), number)
  const texts = ['"12345678901234567890"', '{"12345678901234567890":"a\\"12345678901234567890"}', '["\\\\\\"",1]', '""']
  for (const text of texts) t.strictSame(parseExact(text), JSON.parse(text), text)
  t.equal((parseExact(`"${'9'.repeat(20_000_000)}"`) as string).length, 20_000_000)
})

t.test('a number that would be infinite is refused, and invalid JSON is a SyntaxError', async (t) => {
  for (const text of ['1e400', '-1e400', '[0.1e+999]', '9'.repeat(400)]) {
    t.throws(() => parseExact(text), { code: INVALID, message: /at most 1.8e308, got/ }, text)
  }
  for (const text of ['', '{', '12345678901234567890x', '01']) t.throws(() => parseExact(text), { name: 'SyntaxError' })
})

t.test('the same applies to a number on the command line', async (t) => {
  for (const word of ['1', '+5', '.5', '1e21', '+9007199254740992']) t.ok(isExact(word, Number(word)), word)
  t.notOk(isExact('+9007199254740993', Number('+9007199254740993')))
})

t.test('an error object has the code of the first cause, however often it was put into other words', async (t) => {
  const cause = Object.assign(new Error('full'), { code: 'ERR_LIMIT', limit: 5 })
  const told = new ToolError(EXIT.tryAgain, 'twice', { cause: new ToolError(EXIT.tryAgain, 'once', { cause }) })
  t.match(JSON.parse(errorObject(told)), { code: 'ERR_LIMIT', limit: 5, message: 'twice', exitCode: 5 })
})
