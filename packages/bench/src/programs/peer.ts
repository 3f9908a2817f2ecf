/** A peer's client library, from the folder that the bench installed it in. */
import { createRequire } from 'node:module'

export function loadPeer<T>(folder: string, name: string): T {
  return createRequire(`${folder}/`)(name) as T
}
