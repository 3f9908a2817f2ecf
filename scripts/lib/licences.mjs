/** Adds the licences of other people's code to a bundle that contains it, as these licences demand. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, repositoryRoot } from './workspace.mjs'

/** A file LICENSES.txt with the licences of what a bundle contains, if it contains anything of others. @param inputs of esbuild's metafile */
export function writeLicences(folder, { inputs }) {
  const found = Object.keys(inputs).map((path) => path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1])
  const packages = [...new Set(found.filter((path) => path !== undefined))].sort()
  const locked = readJson(repositoryRoot, 'package-lock.json').packages
  const missing = packages.map((path) => path.slice(path.indexOf('node_modules/'))).filter((path) => locked[path]?.dev)
  if (missing.length > 0)
    throw new Error(`npm start bundles these: package.json needs them as dependencies: ${missing}`)
  if (packages.length > 0) writeFileSync(join(folder, 'LICENSES.txt'), packages.map(licenceOf).join('\n\n'))
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  return `${name} ${version}, ${license}\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}\n`
}
