/** Before npm packs a package: refuses where parts are missing, and puts the published package.json in place of ours. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { KEPT, missingParts, publishedManifest } from './lib/packing.mjs'
import { listFiles } from './lib/workspace.mjs'

const manifest = JSON.parse(readFileSync(existsSync(KEPT) ? KEPT : 'package.json', 'utf8'))
const problems = missingParts('.', manifest)
if (problems.length > 0) {
  for (const problem of problems) console.error(`${manifest.name}: ${problem}`)
  process.exit(1)
}
// Types name maps into the sources, which are not shipped.
for (const file of listFiles('.', 'dist/src').filter((name) => name.endsWith('.d.ts'))) {
  const text = readFileSync(file, 'utf8')
  const own = text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
  if (own !== text) writeFileSync(file, own)
}
if (!existsSync(KEPT)) copyFileSync('package.json', KEPT)
writeFileSync('package.json', `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)
