/** The options of both commands that choose the registry. */
import { MAX_UID } from '../util/check.ts'
import { InvalidArgValueError } from '../util/errors.ts'
import type { RegistryChoice } from './registry-path.ts'

/** As they stand on a command line. */
export interface RegistryOptions {
  /** `--registry PATH` */
  readonly registry?: string | undefined
  /** `--system` */
  readonly system?: boolean | undefined
  /** `--user` */
  readonly user?: boolean | undefined
  /** `--registry-owner UID` */
  readonly registryOwner?: string | undefined
}

/** @throws ERR_INVALID_ARG_VALUE if they exclude each other, or if the owner is not a uid */
export function readRegistryOptions({ registry, system, user, registryOwner }: RegistryOptions): RegistryChoice {
  if (Number(registry !== undefined) + Number(system === true) + Number(user === true) > 1) {
    throw new InvalidArgValueError('--registry, --system and --user exclude each other')
  }
  const scope = system === true ? 'system' : user === true ? 'user' : undefined
  return {
    ...(registry !== undefined && { path: registry }),
    ...(scope !== undefined && { scope }),
    ...(registryOwner !== undefined && { registryOwner: readUid(registryOwner) }),
  }
}

/** A number: names are looked up by other programs, and this is who is trusted. */
function readUid(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= MAX_UID) return Number(text)
  throw new InvalidArgValueError(
    `--registry-owner must be a uid, a number up to ${MAX_UID}; got ${JSON.stringify(text)}`,
  )
}
