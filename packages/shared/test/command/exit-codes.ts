/** The one table of exit codes, and the page that has it for people. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { EXIT, EXIT_BY_ERROR_CODE, EXIT_MEANINGS, exitCodeOf, ToolError } from '../../src/command/exit-codes.ts'
import { LimitError, RegistryUnavailableError } from '../../src/util/errors.ts'

const withCode = (code: unknown) => Object.assign(new Error('odd'), { code })

const ERRORS: [error: unknown, exitCode: number][] = [
  [new ToolError(EXIT.tryAgain, 'late'), 5],
  [new RegistryUnavailableError('nobody'), 3],
  [new LimitError('watchers', 1, 1), 5],
  [withCode('ENOSPC'), 1],
  [withCode('toString'), 1],
  [withCode(4), 1],
  [new Error('without a code'), 1],
  ['a string', 1],
  [null, 1],
  [undefined, 1],
]

t.test('the exit code goes by the error code', async (t) => {
  for (const [error, exitCode] of ERRORS) t.equal(exitCodeOf(error), exitCode, String(error))
  for (const [code, exitCode] of EXIT_BY_ERROR_CODE) t.equal(exitCodeOf(withCode(code)), exitCode, code)
})

/** As the page has them: the number, what it means, and the codes of errors that end in it. */
function rowsOfPage(): [exitCode: number, meaning: string, codes: string[]][] {
  const page = readFileSync(new URL('../../../../../docs/errors.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('## Exit codes of the commands')
  const rows = [...section.matchAll(/^\| (\d) \| (.+?) \| (.+?) \|$/gm)]
  return rows.map(([, exitCode, meaning = '', errors = '']) => [
    Number(exitCode),
    meaning,
    [...errors.matchAll(/`(E[A-Z_]+)`/g)].map(([, code = '']) => code).sort(),
  ])
}

t.test('docs/errors.md has the same table', async (t) => {
  const codesOf = (exitCode: number) =>
    [...EXIT_BY_ERROR_CODE].filter(([, to]) => to === exitCode).map(([code]) => code)
  t.strictSame(
    rowsOfPage(),
    EXIT_MEANINGS.map((meaning, exitCode) => [exitCode, meaning, codesOf(exitCode).sort()]),
  )
})
