/**
 * The layout of the picture: a column for each process with its descriptors, below them the open files of the kernel,
 * and below these the memory. Processes that share an open file are beside each other.
 */
import type { HeldDescriptor, Holder, Inspection, OpenFile } from './inspection.ts'

export interface PlacedFile extends OpenFile {
  /** Center, in columns: 1.5 is between the second and the third. */
  readonly at: number
}

export interface Column {
  readonly process: Holder
  readonly descriptors: readonly HeldDescriptor[]
}

export interface Layout {
  readonly columns: readonly Column[]
  readonly files: readonly PlacedFile[]
}

export function layOut({ processes, openFiles }: Inspection): Layout {
  const columns = inOrder(processes).map((process) => ({ process, descriptors: process.descriptors }))
  const files = openFiles.map((file) => ({ ...file, at: centerOf(file, columns) }))
  return { columns, files: files.sort((a, b) => a.at - b.at || a.id - b.id) }
}

/**
 * First the processes that can write, then by pid. A process that shares an open file with an earlier one comes next to
 * it.
 */
function inOrder(processes: readonly Holder[]): Holder[] {
  const waiting = [...processes].sort((a, b) => Number(mayWrite(b)) - Number(mayWrite(a)) || a.pid - b.pid)
  const ordered: Holder[] = []
  while (waiting.length > 0) {
    const last = ordered.at(-1)
    const beside = last === undefined ? -1 : waiting.findIndex((each) => sharesFile(last, each))
    ordered.push(...waiting.splice(Math.max(beside, 0), 1))
  }
  return ordered
}

export function mayWrite({ descriptors, mappings }: Holder): boolean {
  return (
    mappings.some(({ permissions }) => permissions[1] === 'w') ||
    descriptors.some(({ access }) => access === 'read-write' || access === 'write-only')
  )
}

function sharesFile(a: Holder, b: Holder): boolean {
  const files = new Set(a.descriptors.map(({ openFile }) => openFile))
  return b.descriptors.some(({ openFile }) => openFile !== null && files.has(openFile))
}

function centerOf({ id }: OpenFile, columns: readonly Column[]): number {
  const places = columns.flatMap(({ descriptors }, i) => (descriptors.some((each) => each.openFile === id) ? [i] : []))
  return places.length === 0 ? 0 : places.reduce((sum, place) => sum + place, 0) / places.length
}
