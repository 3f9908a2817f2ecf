/** `memsvc install-unit`: writes the units that let systemd run this installation of memsvc. */
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { errorCode, IllegalStateError, InvalidArgValueError, UnsupportedOperationError } from '@memsvc/shared'
import { EXIT, type ExitCode, findRegistry, readRegistryOptions } from '@memsvc/shared/internal'
import { readConfiguration, SYSTEM_CONFIGURATION } from '../config/configuration.ts'
import { makeFolders } from '../process/make-folders.ts'
import { REPLICATION, replicationPackage } from '../replication/load.ts'
import { checkReachable, findInstallation, type Installation } from '../systemd/installation.ts'
import { makeReplicateUnit, REPLICATE_UNIT } from '../systemd/replicate-unit.ts'
import { isOurs, makeUnitFiles, type Scope, type UnitFile } from '../systemd/unit-files.ts'
import type { Output } from './output.ts'

export interface InstallUnitOptions {
  readonly user?: boolean
  readonly system?: boolean
  readonly print?: boolean
  /** The replicator's unit as well. */
  readonly replicate?: boolean
  readonly config?: string
}

const SYSTEM_FOLDER = '/etc/systemd/system'
/** No drop-in is for it. */
const UNKNOWN_VERSION = 0

export async function installUnit(options: InstallUnitOptions, out: Output): Promise<ExitCode> {
  const scope = chooseScope(options)
  if (scope === 'user' && options.replicate === true)
    throw new UnsupportedOperationError("--replicate needs --system: its unit is only for the machine's systemd")
  if (options.replicate === true) replicationPackage()
  const installation = findInstallation(options.replicate === true ? [REPLICATION] : [])
  const version = systemdVersion()
  const files = makeUnitFiles(scope, installation, version)
  if (options.replicate === true) files.push(await replicateUnit(installation, options.config))
  const folder = unitFolder(scope)
  if (options.print === true) {
    for (const { name, text } of files) out.line(`# ${join(folder, name)}\n${text}`)
    return EXIT.done
  }
  if (version === UNKNOWN_VERSION)
    throw new UnsupportedOperationError('systemd does not run here; --print shows the units')
  if (scope === 'system') checkReachable(installation)
  write(folder, files, out)
  const systemctl = scope === 'user' ? 'systemctl --user' : 'systemctl'
  const services = options.replicate === true ? `memsvc.service ${REPLICATE_UNIT}` : 'memsvc.service'
  process.stderr.write(`now: ${systemctl} daemon-reload && ${systemctl} enable --now memsvc.socket ${services}\n`)
  return EXIT.done
}

async function replicateUnit(installation: Installation, given: string | undefined): Promise<UnitFile> {
  const { trusted } = findRegistry(readRegistryOptions({ system: true }))
  const configuration = given ?? SYSTEM_CONFIGURATION
  const { replicate } = await readConfiguration(configuration, trusted)
  return makeReplicateUnit(replicate, { installation, configuration })
}

function chooseScope({ user, system }: InstallUnitOptions): Scope {
  if (user === true && system === true) throw new InvalidArgValueError('--user and --system exclude each other')
  return user === true || (system !== true && process.getuid?.() !== 0) ? 'user' : 'system'
}

function unitFolder(scope: Scope): string {
  if (scope === 'system') return SYSTEM_FOLDER
  const { XDG_CONFIG_HOME } = process.env
  if (XDG_CONFIG_HOME?.startsWith('/')) return join(XDG_CONFIG_HOME, 'systemd/user')
  const home = homedir()
  if (!home.startsWith('/'))
    throw new InvalidArgValueError(`HOME must be an absolute path, got ${JSON.stringify(home)}`)
  return join(home, '.config/systemd/user')
}

function systemdVersion(): number {
  try {
    const text = execFileSync('systemctl', ['--version'], { encoding: 'utf8' })
    return Number(/^systemd (\d+)/.exec(text)?.[1] ?? UNKNOWN_VERSION)
  } catch {
    return UNKNOWN_VERSION
  }
}

/** All of them, or none when one is in the way. */
function write(folder: string, files: readonly UnitFile[], out: Output): void {
  const paths = files.map(({ name, text }) => ({ path: join(folder, name), text }))
  for (const { path } of paths) checkReplaceable(path)
  for (const { path, text } of paths) {
    makeFolders(dirname(path))
    writeFileSync(path, text)
    out.line(path)
  }
}

/** A symbolic link is somebody's decision: `systemctl mask` makes one. */
function checkReplaceable(path: string): void {
  try {
    if (lstatSync(path).isFile() && isOurs(readFileSync(path, 'utf8'))) return
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw error
  }
  throw new IllegalStateError(`${path} exists and was not written by memsvc: nothing was changed`)
}
