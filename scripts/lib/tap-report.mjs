/** Reads the raw output of a tap run: its own totals, what failed, and the titles of what was skipped. */

const TOTALS = /^# (\{ total: .*\})$/gm
/** A failed point with the YAML that explains it, then the tests it failed with it, out to the file. */
const FAILURE = /^( *)not ok (?!.*# TODO).*(?:\n\1 {2}---\n[\s\S]*?\n\1 {2}\.\.\.)?/gm
/** What a test said by `t.comment`: the seed of its random numbers, for one. */
const COMMENT = /^ +# (?!Subtest|time=|test count).+$/gm
const NOT_RUN = /^ *ok \d+ - (.*?) # (SKIP|TODO)\b *(.*)$/gm
const EMPTY_FILE = 'no tests found'

/**
 * A file without a single test passes in tap. Here it failed: it was meant to test something.
 * A run that ended before its totals has failed too.
 */
export function readTapReport(text) {
  const totals = [...text.matchAll(TOTALS)].at(-1)?.[1]
  const failures = text.match(FAILURE) ?? []
  if (failures.length > 0) failures.unshift(...(text.match(COMMENT) ?? []))
  if (totals === undefined) return { passed: 0, failed: 1, failures, skipped: [] }
  const notRun = [...text.matchAll(NOT_RUN)].map(([, title, kind, reason]) => ({ title, kind, reason }))
  const empty = notRun.filter(({ reason }) => reason === EMPTY_FILE)
  return {
    passed: total(totals, 'pass'),
    failed: total(totals, 'fail') + empty.length,
    failures,
    skipped: notRun.map(({ title, kind, reason }) => `${title} (${reason || kind.toLowerCase()})`),
  }
}

function total(totals, name) {
  return Number(totals.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0)
}
