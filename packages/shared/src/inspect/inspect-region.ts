/** Finds out who holds a region, by looking in /proc into every process that this user may inspect. */
import process from 'node:process'
import { constants, fstat, getSeals, mmap, type OwnedFd } from 'memfd-native'
import type { Holder, Inspection } from './inspection.ts'
import { type Grouping, groupByOpenFile } from './open-files.ts'
import {
  type Holding,
  isForbidden,
  listProcesses,
  type ProcessFacts,
  readFacts,
  readHoldings,
} from './process-holdings.ts'

/** A region that is to be looked at, and how it is called. */
export interface RegionToInspect {
  readonly name: string
  /** Of an area of a store. */
  readonly keys?: readonly string[]
  /** A descriptor of it, the caller's: it is not shown. */
  readonly fd: OwnedFd
}

/** What a daemon says of itself. */
export interface OwnWords {
  readonly pid: number
  readonly uid: number
  readonly holdings: readonly Holding[]
}

/** Every process that was looked at once. */
interface Census {
  readonly seen: readonly (ProcessFacts & Pick<Holder, 'source'> & { readonly holdings: readonly Holding[] })[]
  /** Of other users, or protected. */
  readonly forbidden: readonly ProcessFacts[]
}

/** @param ownWords of processes that may not be looked into */
export function inspectRegions(regions: readonly RegionToInspect[], ownWords: readonly OwnWords[]): Inspection[] {
  const pages = regions.map(({ fd }) => countPages(fd)) // before anything is mapped here that would be seen
  const census = takeCensus(ownWords, new Set(regions.map(({ fd }) => fd.fd)))
  return regions.map((region, i) => inspectRegion(region, pages[i] ?? NO_PAGES, census))
}

/** The memfds that this process holds, for other processes. */
export function ownHoldings(): readonly Holding[] {
  return (readHoldings(process.pid) ?? []).filter(
    ({ descriptors, mappings }) => descriptors.length + mappings.length > 0,
  )
}

function inspectRegion(
  { name, keys, fd }: RegionToInspect,
  pages: Pick<Inspection, 'pages' | 'residentPages'>,
  census: Census,
): Inspection {
  const { ino: inode, size } = fstat(fd)
  const seals = getSeals(fd)
  const held = census.seen.flatMap(({ holdings, ...process }) => {
    const holding = holdings.find((each) => each.inode === inode)
    return holding === undefined ? [] : [{ ...process, ...holding }]
  })
  const grouping = groupByOpenFile(held.flatMap(({ descriptors }) => descriptors))
  return {
    name,
    ...(keys === undefined ? {} : { keys }),
    inode,
    size,
    seals,
    sealNames: sealList(seals),
    pageSize: mmap.PAGESIZE,
    ...pages,
    processes: held.map(({ pid, uid, command, source, descriptors, mappings }) => ({
      ...{ pid, uid, command, source },
      descriptors: descriptors.map((each) => ({ ...each, openFile: grouping.of.get(each) ?? null })),
      mappings,
    })),
    openFiles: grouping.openFiles,
    unseen: describeUnseen(census, held, grouping),
  }
}

function takeCensus(ownWords: readonly OwnWords[], hidden: ReadonlySet<number>): Census {
  const seen: (ProcessFacts & Pick<Holder, 'source'> & { holdings: readonly Holding[] })[] = []
  const forbidden: ProcessFacts[] = []
  for (const pid of listProcesses()) {
    const facts = readFacts(pid)
    if (facts === null || facts.isKernel) continue
    const words = ownWords.find((each) => each.pid === pid && each.uid === facts.uid)
    try {
      const holdings = readHoldings(pid)
      if (holdings === null) continue
      seen.push({ ...facts, source: 'proc', holdings: pid === process.pid ? without(holdings, hidden) : holdings })
    } catch (error) {
      if (!isForbidden(error)) throw error
      if (words === undefined) forbidden.push(facts)
      else seen.push({ ...facts, source: 'daemon', holdings: words.holdings })
    }
  }
  return { seen, forbidden }
}

/** What is there only to look. */
function without(holdings: readonly Holding[], hidden: ReadonlySet<number>): Holding[] {
  return holdings
    .map((each) => ({ ...each, descriptors: each.descriptors.filter(({ fd }) => !hidden.has(fd)) }))
    .filter(({ descriptors, mappings }) => descriptors.length + mappings.length > 0)
}

function describeUnseen(
  { forbidden }: Census,
  held: readonly Pick<Holder, 'pid' | 'source'>[],
  grouping: Grouping,
): string[] {
  const toldByDaemon = held.filter(({ source }) => source === 'daemon')
  return [
    ...toldByDaemon.map(
      ({ pid }) => `this user may not look into process ${pid}: what is shown is what that process says`,
    ),
    ...(grouping.problem === null
      ? []
      : [`it is not known for all descriptors which ones share an open file: ${grouping.problem}`]),
    ...(forbidden.length > 0
      ? [
          `${count(forbidden.length, 'process', 'processes')} may hold it too, but this user may not look into them${process.geteuid?.() === 0 ? '' : ' (root may)'}`,
        ]
      : []),
    'descriptors that are still in a socket, because they belong to no process yet',
  ]
}

function count(number: number, one: string, many: string): string {
  return number === 1 ? `1 ${one}` : `${number} ${many}`
}

const NO_PAGES = { pages: 0, residentPages: 0 }

/** mincore(2), by a mapping of this process that is gone again when it is known. */
function countPages(fd: OwnedFd): Pick<Inspection, 'pages' | 'residentPages'> {
  const { size } = fstat(fd)
  if (size === 0) return NO_PAGES
  const view = mmap.map(size, mmap.PROT_READ, mmap.MAP_SHARED, fd)
  try {
    const [absent, resident] = mmap.incore(view)
    return { pages: absent + resident, residentPages: resident }
  } finally {
    mmap.unmap(view)
  }
}

function sealList(seals: number): string[] {
  const names = Object.entries(constants).filter(([key, bit]) => key.startsWith('F_SEAL_') && (seals & bit) !== 0)
  return names.map(([key]) => key.slice('F_SEAL_'.length))
}
