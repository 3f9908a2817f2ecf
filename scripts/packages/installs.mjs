/** The ways to install the packages, each into an empty folder, from a registry on this machine. No install script runs. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findOnPath } from '../lib/run.mjs'
import { fetchTool } from '../lib/tools.mjs'
import { repositoryRoot } from '../lib/workspace.mjs'
import { runIn } from './use.mjs'

const PNPM = 'pnpm@10.34.8'
const YARN = '@yarnpkg/cli-dist@4.18.1'
const COMMANDS = ['@memsvc/memory-service', '@memsvc/client-cli']
const ALL = [...COMMANDS, '@memsvc/shared']

/** What a shell script of a package manager's may need. There is no compiler among them. */
const PROGRAMS = ['sh', 'dirname', 'basename', 'sed', 'uname', 'readlink', 'cat', 'ls', 'env']

/**
 * @param base an empty folder
 * @returns `{ node, npm, cwd, env, url }`: what each of INSTALLS gets; cwd is `base/NAME`, made here
 */
export function makePlace(base, name, url) {
  const cwd = join(base, name)
  const bin = join(base, `${name}.bin`)
  const home = join(base, `${name}.home`)
  for (const folder of [cwd, bin, home]) mkdirSync(folder)
  symlinkSync(process.execPath, join(bin, 'node'))
  for (const program of PROGRAMS) symlinkSync(findOnPath(program), join(bin, program))
  writeFileSync(join(cwd, 'package.json'), '{ "private": true }')
  const env = {
    PATH: bin,
    HOME: home,
    npm_config_registry: url,
    npm_config_cache: join(home, 'npm'),
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
  return { cwd, env, url, npmCli: join(npmFolder(), 'bin/npm-cli.js'), npxCli: join(npmFolder(), 'bin/npx-cli.js') }
}

/** Of the npm that came with this Node.js. */
function npmFolder() {
  return join(process.execPath, '../../lib/node_modules/npm')
}

const NODE = process.execPath
const inBin = (folder) => ({ memsvc: [join(folder, 'memsvc')], memclient: [join(folder, 'memclient')] })

/** @returns of each what use.mjs uses; `add(...names)` installs more beside it, where that is something else */
export const INSTALLS = {
  async npm(place) {
    const add = (...names) => runIn(place, [NODE, place.npmCli], ['install', '--ignore-scripts', ...names])
    await add(...ALL)
    return { ...place, ...inBin(join(place.cwd, 'node_modules/.bin')), node: [NODE], add }
  },
  async 'npm -g'(place) {
    const prefix = join(place.cwd, 'global')
    await runIn(
      place,
      [NODE, place.npmCli],
      ['install', '--global', '--prefix', prefix, '--ignore-scripts', ...COMMANDS],
    )
    return { ...place, ...inBin(join(prefix, 'bin')) }
  },
  async npx(place) {
    const words = (name) => [NODE, place.npxCli, '--yes', '--ignore-scripts', `--package=${name}`, '--']
    return { ...place, memsvc: [...words(COMMANDS[0]), 'memsvc'], memclient: [...words(COMMANDS[1]), 'memclient'] }
  },
  /** Strict: no package sees what it has not declared. */
  async pnpm(place) {
    const pnpm = join(fetchTool(repositoryRoot, PNPM), 'bin/pnpm.cjs')
    const store = join(place.env.HOME, 'store')
    writeFileSync(join(place.cwd, '.npmrc'), `registry=${place.url}\nhoist=false\nstore-dir=${store}\n`)
    const add = (...names) => runIn(place, [NODE, pnpm], ['add', '--ignore-scripts', ...names])
    await add(...ALL)
    return { ...place, ...inBin(join(place.cwd, 'node_modules/.bin')), node: [NODE], add }
  },
  /** Plug'n'Play: there is no node_modules, and no package sees what it has not declared. */
  async 'Yarn PnP'(place) {
    const yarn = join(fetchTool(repositoryRoot, YARN), 'bin/yarn.js')
    const settings = {
      npmRegistryServer: place.url.replace(/\/$/, ''),
      unsafeHttpWhitelist: ['localhost'],
      enableScripts: false,
      enableTelemetry: false,
      enableGlobalCache: false,
      nodeLinker: 'pnp',
      npmMinimalAgeGate: 0,
    }
    writeFileSync(join(place.cwd, '.yarnrc.yml'), JSON.stringify(settings))
    writeFileSync(join(place.cwd, 'yarn.lock'), '')
    const add = (...names) => runIn(place, [NODE, yarn], ['add', ...names])
    await add(...ALL)
    const words = (name) => [NODE, yarn, 'run', name]
    // In Node.js 20 Yarn has no hand in what a required ES module imports.
    return {
      ...place,
      memsvc: words('memsvc'),
      memclient: words('memclient'),
      node: [NODE, yarn, 'node'],
      loads: ['import'],
      add,
    }
  },
}
