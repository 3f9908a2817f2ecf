/** Runs before npm packs a package: fails if parts are missing, and replaces our package.json with the published one. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ADDRESS_VARIABLE, KEPT, missingParts, publishedManifest } from './lib/packing.mjs'
import { HIDING, hiddenTypes } from './lib/types.mjs'
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
const { [ADDRESS_VARIABLE]: url } = process.env
const origin = url ? { url, directory: `packages/${basename(process.cwd())}` } : undefined
const published = publishedManifest(manifest, origin)
const hidden = hiddenTypes('.', published)
if (hidden.length > 0) writeFileSync(HIDING, `${hidden.join('\n')}\n`)
if (!existsSync(KEPT)) copyFileSync('package.json', KEPT)
writeFileSync('package.json', `${JSON.stringify(published, null, 2)}\n`)
