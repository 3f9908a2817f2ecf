/**
 * `npm run release -- VERSION`: everything that a release is, from a clean checkout, and shows it: versions, changelog, binaries,
 * packages. Nothing leaves the machine; `--publish` then also commits, tags and publishes. lerna is fetched for it.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchTool } from './lib/tools.mjs'
import { listPackages, repositoryRoot } from './lib/workspace.mjs'

const OUTPUT = join(repositoryRoot, '.tools/release')

function run(command, ...args) {
  console.log(`\n$ ${command} ${args.join(' ')}`)
  execFileSync(command, args, { cwd: repositoryRoot, stdio: 'inherit' })
}

function ask(command, ...args) {
  return execFileSync(command, args, { cwd: repositoryRoot, encoding: 'utf8' }).trim()
}

function readArguments([version, ...options]) {
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version ?? '') || options.some((option) => option !== '--publish')) {
    console.error('usage: npm run release -- VERSION [--publish], VERSION as 1.2.3')
    process.exit(2)
  }
  return { version, publishes: options.includes('--publish') }
}

/** What has changed belongs to this version from now on. */
function dateChangelog(version) {
  const path = join(repositoryRoot, 'CHANGELOG.md')
  const text = readFileSync(path, 'utf8')
  if (!/^## Unreleased$/m.test(text)) throw new Error('CHANGELOG.md has no section "Unreleased"')
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(path, text.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} (${date})`))
}

const { version, publishes } = readArguments(process.argv.slice(2))
if (ask('git', 'status', '--porcelain') !== '') throw new Error('the checkout is not clean')
const lerna = join(fetchTool(repositoryRoot, 'lerna@9.0.7'), 'dist/cli.js')
run(process.execPath, lerna, 'version', version, '--exact', '--no-git-tag-version', '--no-push', '--yes')
dateChangelog(version)
run('npm', 'ci')
run('npm', 'run', 'build')
run('npm', 'run', 'build:prebuilt')
run('npm', 'test')
rmSync(OUTPUT, { recursive: true, force: true })
mkdirSync(OUTPUT, { recursive: true })
const published = listPackages(repositoryRoot).filter(({ manifest }) => !manifest.private)
// What others depend on is there before them.
const order = ['memfd-native', '@memsvc/shared', '@memsvc/memory-service', '@memsvc/client-cli']
published.sort((a, b) => order.indexOf(a.manifest.name) - order.indexOf(b.manifest.name))
for (const { folder } of published) {
  run('npm', 'pack', '--workspace', folder, '--pack-destination', OUTPUT)
}
run('git', 'diff', '--stat')
if (publishes) {
  run('git', 'commit', '--all', '--message', `release ${version}`)
  run('git', 'tag', `v${version}`)
  for (const { folder } of published) run('npm', 'publish', '--workspace', folder, '--provenance')
} else {
  console.log(`\nNothing was published. The packages are in ${OUTPUT}; to undo the rest: git checkout .`)
}
