/** The way to the registry: its configuration, its folder, its socket, and whether it answers. */
import { accessSync, existsSync, constants as fs, lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errorCode, IllegalStateError, ServiceManager } from '@memsvc/shared'
import {
  octal,
  otherRegistries,
  type RegistryChoice,
  type RegistryPlace,
  type Step,
  stepsTo,
} from '@memsvc/shared/internal'
import { configurationPath, readConfiguration } from '../config/configuration.ts'
import type { SettingsSource } from '../config/settings.ts'
import { type Diagnosis, type Finding, notOk, ok, tryOut } from './finding.ts'

/** How long a registry may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2000

export async function examineRegistry(choice: RegistryChoice, place: RegistryPlace): Promise<Finding[]> {
  return [
    ok('path of the registry', `${place.path}, ${WHY[place.by]}`),
    ...examineWay(place),
    examineFolder(place),
    examineLock(place),
    await examineAnswer(choice, place.path),
    ...examineOthers(place),
  ]
}

const WHY: Readonly<Record<RegistryPlace['by'], string>> = {
  path: 'chosen by --registry',
  scope: 'chosen by --system or --user',
  MEMSVC_REGISTRY: 'chosen by MEMSVC_REGISTRY',
  XDG_RUNTIME_DIR: "the user's, because XDG_RUNTIME_DIR is set",
  default: "the machine's, because XDG_RUNTIME_DIR is not set",
}

export async function examineConfiguration({
  options,
  place,
  env,
}: Omit<SettingsSource, 'openFiles'>): Promise<Finding> {
  const name = 'configuration'
  try {
    const found = configurationPath(options.config, place.path, env)
    const { path, rules } = await readConfiguration(found, place.trusted)
    return ok(name, path === null ? 'none' : `${path}, rules: ${rules.length}`)
  } catch (error) {
    return notOk(name, (error as Error).message, {
      verdict: 'problem',
      follows: 'the daemon refuses to start or to reload',
      remedy: 'correct the configuration',
    })
  }
}

/** Every folder on the way: one finding for each that is not as it should be. */
function examineWay({ path, trusted }: RegistryPlace): Finding[] {
  const name = 'folders on the path'
  const steps = [...stepsTo(path, trusted)]
  const ills = steps.flatMap((step) => objectionTo(name, step) ?? [])
  return ills.length > 0
    ? ills
    : [ok(name, steps.map(({ path, uid, mode }) => `${path} (${uid}, ${octal(mode)})`).join(', '))]
}

function objectionTo(name: string, { path, uid, mode, objection, isGroupWritable }: Step): Finding | null {
  if (objection !== null) {
    return notOk(name, objection, {
      verdict: 'problem',
      follows: 'memsvc does not use this path: another user could put another registry there',
      remedy:
        'choose another --registry, change these permissions, or name that user with --registry-owner if you trust it',
    })
  }
  if (!isGroupWritable) return null
  return notOk(name, `${path} can be written to by its group (owner ${uid}, mode ${octal(mode)})`, {
    verdict: 'warning',
    follows: 'every member of that group can put another registry there',
    remedy: `if you do not want that: chmod g-w ${path}`,
  })
}

function examineFolder({ path, trusted }: RegistryPlace): Finding {
  const folder = dirname(path)
  return tryOut('folder of the socket', () => describeFolder(folder, trusted.self), {
    verdict: existsSync(path) ? 'warning' : 'problem',
    follows: `this user cannot host the registry at ${path}`,
    remedy:
      'choose another --registry, or ask an administrator to make the folder; systemd makes /run/memsvc for its units',
  })
}

/** @throws EACCES this user cannot make a socket there; ERR_ILLEGAL_STATE the folder is another user's */
function describeFolder(folder: string, self: number): string {
  if (!existsSync(folder)) {
    let parent = folder
    while (!existsSync(parent)) parent = dirname(parent)
    accessSync(parent, fs.W_OK | fs.X_OK)
    return `${folder} will be made, with mode 0700`
  }
  const { uid } = statSync(folder)
  try {
    accessSync(folder, fs.W_OK | fs.X_OK)
  } catch (error) {
    if (uid === self) throw error
    const who = uid === 0 ? 'root, who may once have run memsvc with this XDG_RUNTIME_DIR' : `uid ${uid}`
    throw new IllegalStateError(`${(error as Error).message}; it belongs to ${who}`)
  }
  return `${folder}, ${describe(folder)}`
}

/** A lock file that a daemon of another user left behind prevents this user from hosting. */
function examineLock({ path, trusted }: RegistryPlace): Finding {
  const name = 'lock file'
  const lock = `${path}.lock`
  const stats = lstatSync(lock, { throwIfNoEntry: false })
  if (stats === undefined) return ok(name, 'none')
  if (stats.uid === trusted.self || trusted.self === 0) return ok(name, `${lock}, ${describe(lock)}`)
  return notOk(name, `${lock} belongs to uid ${stats.uid}`, {
    verdict: 'warning',
    follows: 'this user cannot host the registry there, even if no daemon of that user runs',
    remedy: `if none runs: rm ${lock} ${path}, as root or as the owner of the folder`,
  })
}

async function examineAnswer(choice: RegistryChoice, path: string): Promise<Finding> {
  const name = 'registry'
  try {
    using manager = await ServiceManager.connect(choice)
    const services = await Promise.race([manager.listServices(), delay(ANSWER_TIMEOUT_MS, null, { ref: false })])
    if (services === null) return notOk(name, `${path} does not answer`, HANGS)
    return ok(name, `${path}, ${describe(path)}, run by uid ${manager.registryUid}, services: ${services.length}`)
  } catch (error) {
    const diagnosis = DIAGNOSES[errorCode(error) ?? ''] ?? HANGS
    return notOk(name, (error as Error).message, diagnosis)
  }
}

/** Other registries that are running: the finding says how to choose them. */
function examineOthers(place: RegistryPlace): Finding[] {
  return otherRegistries(place)
    .filter(({ isServed }) => isServed)
    .map(({ whose, path, scope }) => ok(`${whose} registry`, `also running, at ${path}: choose it with --${scope}`))
}

function describe(path: string): string {
  const { mode, uid } = statSync(path)
  return `mode ${octal(mode & 0o7777)}, owner ${uid}`
}

const HANGS: Diagnosis = {
  verdict: 'problem',
  follows: 'clients get no answers',
  remedy: 'read its log; if it is stopped or hangs, end it, and another daemon takes over',
}
const DIAGNOSES: Readonly<Record<string, Diagnosis>> = {
  ERR_REGISTRY_UNAVAILABLE: { verdict: 'warning', follows: 'clients find no services', remedy: 'memsvc start' },
  ERR_SECURITY: {
    verdict: 'problem',
    follows: 'this user cannot be a client of it',
    remedy:
      'do what the message says; check --socket-mode, or SocketMode= of memsvc.socket, and the permissions of the folders above',
  },
}
