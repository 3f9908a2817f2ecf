/** Prints the results of a draw. */

/** @param results of the draw, in its order @param equivalent by key */
export function report(results, equivalent) {
  const of = (verdict) => results.filter((result) => result.verdict === verdict)
  const survived = of('survived')
  const open = survived.filter(({ key }) => !equivalent.has(key))
  const noticed = of('noticed').length
  const matter = noticed + open.length
  const share = matter === 0 ? '–' : `${((100 * noticed) / matter).toFixed(1)} %`
  console.log(`\n${results.length} drawn, ${of('not built').length} not built (not counted)`)
  console.log(`${noticed} noticed, ${open.length} survived, ${survived.length - open.length} listed as of no effect`)
  console.log(`${share} of the ${matter} that matter were noticed`)
  for (const result of open) console.log(`SURVIVED ${describe(result)}`)
  return { noticed, open: open.length }
}

export function describe({ key, file, line, kind, was, replacement }) {
  return `${key} ${file}:${line} ${kind}: ${short(was)} -> ${short(replacement)}`
}

function short(text) {
  const line = text.replace(/\s+/g, ' ').trim()
  return line === '' || line === ';' || line === '{}'
    ? '(nothing)'
    : line.length > 90
      ? `${line.slice(0, 87)}...`
      : line
}
