/**
 * Which descriptors lead to the same open file. Only the kernel knows, and only a process that may trace both processes
 * may ask. kcmp(2)
 */
import { constants, kcmp } from 'memfd-native'
import { errorCode } from '../util/errors.ts'
import type { HeldDescriptor, OpenFile } from './inspection.ts'

type Descriptor = Omit<HeldDescriptor, 'openFile'>

export interface Grouping {
  readonly openFiles: readonly OpenFile[]
  /** Which one each descriptor leads to. */
  readonly of: ReadonlyMap<Descriptor, number>
  /** Why the kernel did not answer for some descriptors; null if it answered for all. */
  readonly problem: string | null
}

interface Group {
  readonly first: Descriptor
  count: number
}

/** @param descriptors all of one file; of those whose flags are unknown nothing can be told */
export function groupByOpenFile(descriptors: readonly Descriptor[]): Grouping {
  const groups: Group[] = []
  const of = new Map<Descriptor, number>()
  let problem: string | null = null
  for (const descriptor of descriptors) {
    if (descriptor.flags === null) continue
    try {
      of.set(descriptor, join(groups, descriptor))
    } catch (error) {
      if (['EBADF', 'ESRCH'].includes(errorCode(error) ?? '')) continue // closed meanwhile
      problem = `kcmp(2) said ${errorCode(error)}`
    }
  }
  const openFiles = groups.map(({ first: { access, offset }, count }, i) => ({
    id: i + 1,
    access,
    offset,
    descriptors: count,
  }))
  return { openFiles, of, problem }
}

/** @returns the number of its group, from 1 */
function join(groups: Group[], descriptor: Descriptor): number {
  // Each is compared with itself first, so that a missing right is noticed even for a single process.
  if (!isSame(descriptor, descriptor)) throw new Error('kcmp does not recognise a descriptor as itself')
  const found = groups.findIndex(({ first }) => isSame(first, descriptor))
  const group = groups[found]
  if (group === undefined) return groups.push({ first: descriptor, count: 1 })
  group.count += 1
  return found + 1
}

function isSame(a: Descriptor, b: Descriptor): boolean {
  return kcmp(constants.KCMP_FILE, { pid: a.pid, index: a.fd }, { pid: b.pid, index: b.fd }) === 0
}
