/**
 * `npm run release -- VERSION`: makes a release from a clean checkout and shows it: versions, changelog, binaries, checks,
 * packages. Nothing leaves the machine, and at the end the checkout is as it was before. With `--publish`, the release is
 * committed, tagged and published instead.
 *
 * `--dry-run` says explicitly that nothing is published. It needs no VERSION: by default it takes the current one.
 * `--repository` is the public address of the sources. It is written into the packages, and nothing is published without it.
 * lerna is fetched for the release.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ADDRESS_VARIABLE, isPublished } from './lib/packing.mjs'
import { readRelease } from './lib/release-arguments.mjs'
import { localBin } from './lib/run.mjs'
import { fetchTool } from './lib/tools.mjs'
import { listPackages, readJson, repositoryRoot } from './lib/workspace.mjs'

const OUTPUT = join(repositoryRoot, '.tools/release')

function run(command, ...args) {
  console.log(`\n$ ${command} ${args.join(' ')}`)
  execFileSync(command, args, { cwd: repositoryRoot, stdio: 'inherit' })
}

function ask(command, ...args) {
  return execFileSync(command, args, { cwd: repositoryRoot, encoding: 'utf8' }).trim()
}

/** What has changed belongs to this version from now on. */
function dateChangelog(version) {
  const path = join(repositoryRoot, 'CHANGELOG.md')
  const text = readFileSync(path, 'utf8')
  if (!/^## Unreleased$/m.test(text)) throw new Error('CHANGELOG.md has no section "Unreleased"')
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(path, text.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} (${date})`))
}

/** The names of what is published: what others depend on is there before them. */
function publishedInOrder() {
  const left = new Map(
    listPackages(repositoryRoot)
      .filter(({ manifest }) => isPublished(manifest))
      .map(({ manifest }) => [manifest.name, Object.keys(manifest.dependencies ?? {})]),
  )
  const order = []
  while (left.size > 0) {
    const [next] = [...left].find(([, needs]) => !needs.some((name) => left.has(name)))
    left.delete(next)
    order.push(next)
  }
  return order
}

/** Versions and changelog, the binaries, the checks, the packages. @returns the tarballs, what others need first */
function prepare(version) {
  const lerna = join(fetchTool(repositoryRoot, 'lerna@9.0.7'), 'dist/cli.js')
  run(
    process.execPath,
    lerna,
    'version',
    version,
    '--exact',
    '--force-publish',
    '--no-git-tag-version',
    '--no-push',
    '--yes',
  )
  dateChangelog(version)
  run('npm', 'ci')
  run(localBin('biome'), 'format', '--write', 'lerna.json') // lerna leaves out the newline at its end
  run('npm', 'run', 'build')
  run('npm', 'run', 'build:prebuilt')
  run('npm', 'run', 'check:binaries')
  run('npm', 'run', 'check:packages')
  run('npm', 'run', 'check:workflows')
  run('npm', 'test')
  rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(OUTPUT, { recursive: true })
  return publishedInOrder().map((name) => {
    run('npm', 'pack', '--workspace', name, '--pack-destination', OUTPUT)
    return join(OUTPUT, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  })
}

const { version, publishes, address, refusal } = readRelease(
  process.argv.slice(2),
  readJson(repositoryRoot, 'lerna.json').version,
)
if (refusal !== null) {
  console.error(refusal)
  process.exit(2)
}
if (ask('git', 'status', '--porcelain') !== '') throw new Error('the checkout is not clean')
if (address !== null) process.env[ADDRESS_VARIABLE] = address
// What is not finished must not be what `npm install` gives.
const tag = version.includes('-') ? 'next' : 'latest'
try {
  const tarballs = prepare(version)
  run('git', '--no-pager', 'diff', '--stat')
  for (const tarball of tarballs) run('npm', 'publish', tarball, '--tag', tag, '--dry-run', '--provenance=false')
  if (publishes) {
    run('git', 'commit', '--all', '--message', `release ${version}`)
    run('git', 'tag', `v${version}`)
    for (const tarball of tarballs) run('npm', 'publish', tarball, '--tag', tag, '--provenance')
  } else {
    console.log(`\nNothing was published. What would be is in ${OUTPUT}`)
    if (address === null) console.log('It names no repository: with --publish, --repository has to be told')
  }
} finally {
  if (!publishes) run('git', 'checkout', '--quiet', '.')
}
