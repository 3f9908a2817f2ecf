/** The regions of a service, each with who holds it: found as every client finds them, and then looked for in /proc. */
import type { OwnedFd } from 'memfd-native'
import type { Deadline } from '../command/deadline.ts'
import { EXIT, ToolError } from '../command/exit-codes.ts'
import { findHolder, findService } from '../command/reach.ts'
import { controlOf } from '../interfaces/control.ts'
import { IMemoryService } from '../interfaces/memory-service.ts'
import { detachOwned } from '../os/parcel-file-descriptor.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import type { ServiceManager } from '../service-manager/service-manager.ts'
import { IStore } from '../store/store-interface.ts'
import { errorCode, ServiceNotFoundError } from '../util/errors.ts'
import { inspectRegions, type OwnWords, type RegionToInspect } from './inspect-region.ts'
import type { Inspection } from './inspection.ts'
import type { Holding } from './process-holdings.ts'

export interface InspectOptions {
  readonly manager: ServiceManager
  readonly deadline: Deadline
}

/**
 * The region of a value, or one for each area of a store. This process is not among the holders, unless it holds one
 * already.
 * @throws ERR_SERVICE_NOT_FOUND; ToolError if the service has no region or does not answer in time; otherwise as
 *   getService
 */
export async function inspectService(name: string, { manager, deadline }: InspectOptions): Promise<Inspection[]> {
  const service = await findService(manager, name, deadline)
  const regions = await deadline.within(findRegions(name, service), name)
  try {
    const ownWords = await deadline.within(askDaemon(manager, { name, service, deadline }), name)
    return inspectRegions(regions, ownWords)
  } finally {
    for (const { fd } of regions) fd.close()
    closeService(service)
  }
}

async function findRegions(name: string, service: IBinder): Promise<RegionToInspect[]> {
  const descriptor = await service.getInterfaceDescriptor()
  if (descriptor === IStore.DESCRIPTOR) return findAreas(name, service)
  if (descriptor !== IMemoryService.DESCRIPTOR) {
    throw new ToolError(EXIT.failed, `${name} is neither a value nor a store: memsvc cannot inspect its memory`)
  }
  const handed = await IMemoryService.asInterface(service).getFileDescriptor()
  if (handed === null) throw new ServiceNotFoundError(`the service ${name} has no region`)
  return [{ name, fd: detachOwned(handed) }]
}

async function findAreas(name: string, service: IBinder): Promise<RegionToInspect[]> {
  const handed = await IStore.asInterface(service).open(null)
  return handed.map(({ patterns, descriptor }) => ({ name, keys: patterns, fd: detachOwned(descriptor) as OwnedFd }))
}

/**
 * A daemon is not dumpable, so only root may look into it. Its own user may ask it. Other users, and other services,
 * get nothing.
 */
async function askDaemon(
  manager: ServiceManager,
  { name, service, deadline }: { name: string; service: IBinder; deadline: Deadline },
): Promise<OwnWords[]> {
  const holder = await findHolder(manager, name, deadline)
  if (holder === null) return []
  try {
    const answer = await (await controlOf(service)).holdings()
    const holdings = JSON.parse(answer ?? '[]') as Holding[]
    return [{ pid: holder.pid, uid: holder.uid, holdings }]
  } catch (error) {
    if (NOT_TOLD.includes(errorCode(error) ?? '')) return []
    throw error
  }
}

/** It is not a daemon, or an older one, or this is another user. */
const NOT_TOLD = ['ERR_UNSUPPORTED_OPERATION', 'ERR_UNKNOWN_TRANSACTION', 'ERR_SECURITY']

function closeService(service: IBinder): void {
  ;(service as { close?: () => void }).close?.()
}
