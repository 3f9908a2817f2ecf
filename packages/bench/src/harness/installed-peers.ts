/**
 * The peers: `peers.json` names them, this installs them into the bench's own folder when a benchmark is run, each on its
 * own, so that one that cannot be had is absent and nothing else. No root is needed and nothing of the system changes:
 * Debian packages are unpacked, not installed.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { buildFolder, packageFolder } from './paths.ts'
import { cleanEnvironment } from './process.ts'

interface Manifest {
  /** A peer and the packages it is made of; the first is loaded as a trial. */
  readonly npm: Readonly<Record<string, readonly string[]>>
  /** The same, of Debian. */
  readonly debian: Readonly<Record<string, readonly string[]>>
  /** Taken from the system as they are. */
  readonly programs: readonly string[]
}

const FOLDER = `${buildFolder}/peers`

export class Peers {
  readonly #absent: ReadonlyMap<string, string>

  private constructor(absent: ReadonlyMap<string, string>) {
    this.#absent = absent
  }

  /** None of them. */
  static none(reason: string): Peers {
    const { npm, debian, programs } = readManifest()
    return new Peers(new Map([...Object.keys(npm), ...Object.keys(debian), ...programs].map((name) => [name, reason])))
  }

  /** Installs what is not there yet. Takes a minute the first time. */
  static install(log: (line: string) => void): Peers {
    const { npm, debian, programs } = readManifest()
    const absent = new Map<string, string>()
    const attempt = (name: string, install: () => void) => {
      try {
        install()
      } catch (error) {
        absent.set(name, `${name} cannot be had: ${firstLine(error)}`)
        log(absent.get(name) as string)
      }
    }
    for (const [name, packages] of Object.entries(npm)) {
      attempt(name, () => once(name, packages, (folder) => installFromNpm(folder, name, packages)))
    }
    for (const [name, packages] of Object.entries(debian)) {
      attempt(name, () => once(name, packages, (folder) => unpackDebian(folder, packages)))
    }
    for (const name of programs) attempt(name, () => findProgram(name))
    return new Peers(absent)
  }

  /** Null when all of them are there. */
  whyAbsent(names: readonly string[]): string | null {
    return names.map((name) => this.#absent.get(name)).find((reason) => reason !== undefined) ?? null
  }

  folder(name: string): string {
    return `${FOLDER}/${name}`
  }
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(`${packageFolder}peers.json`, 'utf8')) as Manifest
}

/** Installs into a folder that gets its name only when all went well; a file in it tells when it is out of date. */
function once(name: string, packages: readonly string[], install: (folder: string) => void): void {
  const [folder, temporary, contents] = [`${FOLDER}/${name}`, `${FOLDER}/.${name}`, packages.join('\n')]
  if (existsSync(`${folder}/packages`) && readFileSync(`${folder}/packages`, 'utf8') === contents) return
  for (const stale of [folder, temporary]) rmSync(stale, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true })
  install(temporary)
  writeFileSync(`${temporary}/packages`, contents)
  renameSync(temporary, folder)
}

function installFromNpm(folder: string, name: string, packages: readonly string[]): void {
  writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true }))
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...headers(), ...packages], folder)
  // Found here, not in the middle of a run: an addon that does not load.
  run(process.execPath, ['-e', `require(${JSON.stringify(name)}); process.exit()`], folder)
}

/** Node's own headers where it was installed with them: node-gyp would fetch them from the network. */
function headers(): string[] {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(`${prefix}/include/node/node_api.h`) ? [`--nodedir=${prefix}`] : []
}

function unpackDebian(folder: string, packages: readonly string[]): void {
  run('apt-get', ['download', '-qq', ...packages], folder)
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb')))
    run('dpkg', ['-x', file, 'root'], folder)
}

function findProgram(name: string): void {
  const folders = (process.env.PATH ?? '').split(delimiter)
  if (!folders.some((folder) => existsSync(`${folder}/${name}`))) throw new Error('not installed')
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: 'pipe', env: cleanEnvironment() })
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n').slice(0, 2).join(' ')
}
