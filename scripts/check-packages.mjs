/**
 * `npm run check:packages`: checks the packages as they would be published (after `npm run build` and `npm run build:prebuilt`).
 * publint and arethetypeswrong examine them. Then they are installed in every way that a user may, without install scripts, a
 * compiler or a network, and used. The tools are fetched into .tools.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveRegistry } from './lib/local-registry.mjs'
import { runQuietly } from './lib/run.mjs'
import { fetchTool } from './lib/tools.mjs'
import { repositoryRoot } from './lib/workspace.mjs'
import { INSTALLS, makePlace } from './packages/installs.mjs'
import { copyWorkspace, listTarballs, packAll, packDependencies } from './packages/tarballs.mjs'
import { useInstallation, useReplication, useWindow } from './packages/use.mjs'

const PUBLINT = 'publint@0.3.25'
const ATTW = '@arethetypeswrong/cli@0.18.5'
/** What a user may wait for: our own packages included. */
const MOST_PACKAGES = 18
const MOST_MIB = 6

/** Commands are not imported: they have no types. */
function lint(tarball, isLibrary) {
  const publint = join(fetchTool(repositoryRoot, PUBLINT), 'src/cli.js')
  const attw = join(fetchTool(repositoryRoot, ATTW), 'dist/index.js')
  return [
    runQuietly(process.execPath, [publint, 'run', tarball, '--strict']),
    // They are ES modules, which every Node.js that we run on can require(); TypeScript before 5.8 does not know it.
    !isLibrary || runQuietly(process.execPath, [attw, tarball, '--ignore-rules', 'cjs-resolves-to-esm']),
  ].every(Boolean)
}

async function tryInstall(name, base, url) {
  try {
    const installation = await INSTALLS[name](makePlace(base, name.replaceAll(' ', ''), url))
    await useInstallation(installation)
    const isGood = name !== 'npm' || isSmall(installation.cwd)
    if (installation.add !== undefined) {
      await useReplication(installation)
      await useWindow(installation)
    }
    return isGood
  } catch (error) {
    console.error(error.stderr ?? error)
    return false
  }
}

function isSmall(folder) {
  const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
  const count = Object.keys(packages).length
  const files = readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
  const bytes = files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath ?? file.path, file.name)).size, 0)
  const mib = bytes / 2 ** 20
  console.log(`npm installs ${count} packages, ${mib.toFixed(1)} MiB`)
  return count <= MOST_PACKAGES && mib <= MOST_MIB
}

function say(isGood, what) {
  console.log(`${isGood ? 'ok' : 'not ok'} - ${what}`)
  if (!isGood) process.exitCode = 1
}

const base = mkdtempSync(join(tmpdir(), 'memsvc-packages-'))
try {
  copyWorkspace(base)
  const tarballs = join(base, 'tarballs')
  const own = packAll(base, tarballs)
  for (const { manifest, tarball } of listTarballs([...own.values()]))
    say(lint(tarball, manifest.exports !== undefined), `${manifest.name} is well made`)
  const registry = await serveRegistry(listTarballs([...own.values(), ...packDependencies(tarballs).values()]))
  for (const name of Object.keys(INSTALLS)) say(await tryInstall(name, base, registry.url), `installed by ${name}`)
  registry.close()
} finally {
  rmSync(base, { recursive: true, force: true })
}
