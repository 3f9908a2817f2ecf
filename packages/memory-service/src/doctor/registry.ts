/** The way to the registry: its configuration, its folder, its socket, and whether it answers. */
import { accessSync, existsSync, constants as fs, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errorCode, ServiceManager } from '@memsvc/shared'
import { clientRegistryPath, daemonRegistryPath } from '@memsvc/shared/internal'
import { configurationPath, readConfiguration } from '../config/configuration.ts'
import { checkDirectory } from '../registry/listener.ts'
import type { SettingsSource } from '../settings.ts'
import { type Diagnosis, type Finding, ill, ok, tryOut } from './finding.ts'

/** How long a registry may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2000

export async function examineRegistry(path: string | undefined): Promise<Finding[]> {
  return [examineFolder(daemonRegistryPath({ path })), await examineAnswer(clientRegistryPath({ path }))]
}

export async function examineConfiguration({
  options,
  registryPath,
  env,
}: Omit<SettingsSource, 'openFiles'>): Promise<Finding> {
  const name = 'configuration'
  try {
    const { path, rules } = await readConfiguration(configurationPath(options.config, registryPath, env))
    return ok(name, path === null ? 'none' : `${path}, rules: ${rules.length}`)
  } catch (error) {
    return ill(name, (error as Error).message, {
      verdict: 'problem',
      follows: 'the daemon refuses to start, and to reload',
      remedy: 'put it right',
    })
  }
}

function examineFolder(path: string): Finding {
  const folder = dirname(path)
  return tryOut('folder of the socket', () => describeFolder(folder), {
    verdict: existsSync(path) ? 'warning' : 'problem',
    follows: `this user cannot host the registry at ${path}`,
    remedy: 'another --registry, or let an administrator make the folder; systemd makes /run/memsvc for its own units',
  })
}

/** @throws EACCES this user cannot make a socket there; ERR_ILLEGAL_STATE others could replace it */
function describeFolder(folder: string): string {
  if (!existsSync(folder)) {
    let parent = folder
    while (!existsSync(parent)) parent = dirname(parent)
    accessSync(parent, fs.W_OK | fs.X_OK)
    return `${folder} will be made, with mode 0700`
  }
  accessSync(folder, fs.W_OK | fs.X_OK)
  checkDirectory(folder)
  return `${folder}, ${describe(folder)}`
}

async function examineAnswer(path: string): Promise<Finding> {
  const name = 'registry'
  try {
    using manager = await ServiceManager.connect({ path })
    const services = await Promise.race([manager.listServices(), delay(ANSWER_TIMEOUT_MS, null, { ref: false })])
    if (services === null) return ill(name, `${path} does not answer`, HANGS)
    return ok(name, `${path}, ${describe(path)}, services: ${services.length}`)
  } catch (error) {
    const diagnosis = DIAGNOSES[errorCode(error) ?? ''] ?? HANGS
    return ill(name, (error as Error).message, diagnosis)
  }
}

function describe(path: string): string {
  const { mode, uid } = statSync(path)
  return `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}, owner ${uid}`
}

const HANGS: Diagnosis = {
  verdict: 'problem',
  follows: 'clients get nothing from it',
  remedy: 'see its log; if it is stopped or hangs, end it: another daemon takes over',
}
const DIAGNOSES: Readonly<Record<string, Diagnosis>> = {
  ERR_REGISTRY_UNAVAILABLE: { verdict: 'warning', follows: 'clients find nothing yet', remedy: 'memsvc start' },
  ERR_SECURITY: {
    verdict: 'problem',
    follows: 'this user is no client of it',
    remedy: '--socket-mode, or SocketMode= of memsvc.socket; and the folders above must let this user pass',
  },
}
