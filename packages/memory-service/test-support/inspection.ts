/** What `memsvc inspect` says, and what /proc says to a program that is not ours. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { IMemoryService, type ImplementationOf, type MemoryFile, type ParcelFileDescriptor } from '@memsvc/shared'
import type { Inspection } from '@memsvc/shared/internal'
import type { Test } from 'tap'
import { memsvc } from './memsvc.ts'
import { connect } from './value.ts'

const WHO_HOLDS = readFileSync(new URL('../../test-support/fixtures/who-holds.py', import.meta.url), 'utf8')

/** All that holds one memfd, sorted. */
export interface Holdings {
  /** pid, number, flags, offset */
  readonly descriptors: readonly (readonly (number | null)[])[]
  /** pid, address, permissions */
  readonly mappings: readonly (readonly (number | string)[])[]
}

/** By a script in Python that looks into /proc. */
export function holdersByProc(inode: number): Holdings {
  return JSON.parse(execFileSync('python3', ['-c', WHO_HOLDS, String(inode)], { encoding: 'utf8' })) as Holdings
}

/** What was inspected, in the same form. */
export function holdersOf({ processes }: Inspection): Holdings {
  const descriptors = processes.flatMap((each) => each.descriptors)
  const mappings = processes.flatMap((each) => each.mappings)
  return {
    descriptors: sorted(descriptors.map(({ pid, fd, flags, offset }) => [pid, fd, flags, offset])),
    mappings: sorted(mappings.map(({ pid, start, permissions }) => [pid, start, permissions])),
  }
}

function sorted<T extends readonly unknown[]>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => Number(a[0]) - Number(b[0]) || compare(a[1], b[1]))
}

/** Numbers by size, words by their letters. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number') return a - Number(b)
  return String(a) < String(b) ? -1 : 1
}

/** Publishes a file of the test's process, as a service that answers dups of its descriptor, until the test ends. */
export async function publishRegion(
  t: Test,
  { registry, name, file }: { registry: string; name: string; file: MemoryFile },
): Promise<void> {
  const manager = await connect(t, registry)
  await manager.addService(name, new RegionService(file))
}

class RegionService extends IMemoryService.Stub implements ImplementationOf<typeof IMemoryService> {
  readonly #file: MemoryFile

  constructor(file: MemoryFile) {
    super()
    this.#file = file
  }

  getFileDescriptor(): ParcelFileDescriptor {
    return this.#file.getParcelFileDescriptor()
  }

  setValue(): void {}
}

/** `memsvc inspect --json`: of each region. @throws Error with what the command said, when it failed */
export async function inspect(registry: string, name: string, uid?: number): Promise<Inspection[]> {
  const { code, stdout, stderr } = await memsvc(registry, ['inspect', name, '--json'], { uid })
  if (code !== 0) throw new Error(`inspect: exit ${code}\n${stderr}`)
  return stdout.split('\n').map((line) => JSON.parse(line) as Inspection)
}
