/** Who takes part: one checkout of memsvc or several, and the peers that are installed. */
import type { Contender, Place } from './benchmark.ts'
import { contender, type Parts } from './contender.ts'
import type { Peers } from './installed-peers.ts'
import { programPath, repositoryFolder } from './paths.ts'
import type { Program } from './process.ts'

export interface Checkout {
  /** "memsvc", and where several are compared "memsvc REVISION". */
  readonly label: string
  readonly root: string
}

export interface Field {
  readonly checkouts: readonly Checkout[]
  /** Null where only checkouts are compared. */
  readonly peers: Peers | null
  /** Only to see that it runs: what takes minutes is cut short. */
  readonly isQuick: boolean
}

/** Some ten thousand calls or attachments: before that what is measured is V8 compiling, beside the work on the same core. */
const LONG_WARM_UP_MS = 5000

export const thisCheckout: Checkout = { label: 'memsvc', root: repositoryFolder.replace(/\/$/, '') }

/** A program of `programs/`. */
export function nodeProgram(name: string, ...args: (string | number)[]): Program {
  return { argv: [process.execPath, programPath(name), ...args.map(String)] }
}

const DAEMON_READY = /"msg":"ready"/

/** @param options of `memsvc start`, more of them */
export function daemonOf({ root }: Checkout, { folder }: Place, ...options: string[]): Program {
  const argv = [
    process.execPath,
    `${root}/packages/memory-service/bin/memsvc.js`,
    'start',
    '--registry',
    registryIn(folder),
    ...options,
  ]
  return { argv, ready: DAEMON_READY }
}

export function registryIn(folder: string): string {
  return `${folder}/registry.sock`
}

/** The contender of each checkout: its daemon, and a client that speaks to it. */
export function withDaemon(
  field: Field,
  task: string,
  client?: (checkout: Checkout, place: Place) => Program,
): Contender[] {
  return field.checkouts.map((checkout) =>
    contender(checkout.label, {
      servers: (place) => [daemonOf(checkout, place)],
      client: (place) =>
        client?.(checkout, place) ?? nodeProgram('memsvc-client', checkout.root, registryIn(place.folder)),
      task,
    }),
  )
}

/** For a group in which V8 compiles for seconds before everything is as fast as it gets. A quick run does not wait for that. */
export function longWarmUp({ isQuick }: Field): { warmUpMilliseconds?: number } {
  return isQuick ? {} : { warmUpMilliseconds: LONG_WARM_UP_MS }
}

/** A contender that needs installed peers; an absent one where one of them is not to be had. */
export function peerContender(
  { peers }: Field,
  name: string,
  needs: readonly string[],
  make: (peers: Peers, name: string) => Contender,
): Contender[] {
  if (peers === null) return []
  const absent = peers.whyAbsent(needs)
  return [absent === null ? make(peers, name) : { name, absent }]
}

/** The usual one. */
export function peer(
  field: Field,
  name: string,
  needs: readonly string[],
  parts: (peers: Peers) => Parts,
): Contender[] {
  return peerContender(field, name, needs, (peers) => contender(name, parts(peers)))
}
