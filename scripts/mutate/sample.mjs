/**
 * Tries a few mutants for CI: guards that must be noticed, each with the test that notices it. Each entry has a piece of source
 * text and its replacement, and no line number. If the text is gone, that is a failure too; otherwise the list would become stale.
 */
import { readJson } from '../lib/workspace.mjs'
import { readSource } from './build.mjs'
import { judge } from './judge.mjs'
import { hash } from './mutants.mjs'

const MUST_NOTICE = 'scripts/mutate/must-notice.json'

/** So many of the list, drawn by the seed. @returns how many were noticed, of how many */
export async function trySample(scratch, { count, seed }) {
  const list = readJson(scratch, MUST_NOTICE)
  const rank = (entry) => hash(String(seed), entry.file, entry.was)
  const chosen = [...list].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count)
  let noticed = 0
  for (const entry of chosen) {
    const verdict = await tryOne(scratch, entry)
    if (verdict === 'noticed') noticed += 1
    console.log(`${verdict === 'noticed' ? 'ok' : 'not ok'} - ${entry.file}: ${entry.guards} (${verdict})`)
  }
  return { noticed, tried: chosen.length }
}

async function tryOne(scratch, { file, was, becomes, test }) {
  const start = readSource(scratch, file).indexOf(was)
  if (start < 0) return 'the guard is not there any more: bring must-notice.json up to date'
  const { verdict, by } = await judge(scratch, { file, start, end: start + was.length, replacement: becomes }, [
    { test, ms: 0 },
  ])
  return verdict === 'not built' ? `${verdict}: ${by}` : verdict
}
