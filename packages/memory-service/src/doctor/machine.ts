/** What this process may have: descriptors, file sizes, memory. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { constants, getrlimit } from 'memfd-native'
import { readSettings, type SettingsSource } from '../config/settings.ts'
import { raiseOpenFiles } from '../quota/descriptor-budget.ts'
import { type Finding, notOk, ok, tryOut } from './finding.ts'

const PAGE_BYTES = 4096
const MIB = 1024 * 1024
/** Node and the daemon take about 60 MiB; what waits for clients comes on top. */
const ENOUGH_MEMORY_MIB = 128

export async function examineMachine(source: Omit<SettingsSource, 'openFiles'>): Promise<Finding[]> {
  return [await examineOpenFiles(source), examineFileSize(), examineMemory()]
}

async function examineOpenFiles(source: Omit<SettingsSource, 'openFiles'>): Promise<Finding> {
  const name = 'open files'
  const openFiles = raiseOpenFiles()
  const remedy = 'raise the limit before the daemon starts: LimitNOFILE= of the unit, or prlimit(1)'
  try {
    const { lowered } = await readSettings({ ...source, openFiles })
    const totals = Object.entries(lowered).map(([resource, total]) => `${total} ${resource}`)
    if (totals.length === 0) return ok(name, `${openFiles} are allowed`)
    return notOk(name, `${openFiles} are allowed`, {
      verdict: 'warning',
      follows: `limits are lowered to ${totals.join(', ')}`,
      remedy,
    })
  } catch (error) {
    return notOk(name, (error as Error).message, { verdict: 'problem', follows: 'the daemon refuses to start', remedy })
  }
}

function examineFileSize(): Finding {
  const { soft } = getrlimit(constants.RLIMIT_FSIZE)
  const attempt = () => soft >= PAGE_BYTES && (soft === Number.POSITIVE_INFINITY ? 'no limit' : `${soft} bytes`)
  return tryOut('file size', attempt, {
    verdict: 'problem',
    follows: 'memsvc cannot make regions (EFBIG)',
    remedy: 'raise the limit of the file size: ulimit -f, or LimitFSIZE= of the unit',
  })
}

/** The kernel does not say ENOMEM to a process in a memory cgroup, it kills. */
export function examineMemory(limit = memoryLimit()): Finding {
  const name = 'memory of the cgroup'
  if (limit === Number.POSITIVE_INFINITY) return ok(name, 'no limit')
  const found = `${Math.floor(limit / MIB)} MiB`
  if (limit >= ENOUGH_MEMORY_MIB * MIB) return ok(name, found)
  return notOk(name, found, {
    verdict: 'warning',
    follows: 'the kernel kills the daemon when it needs more',
    remedy: `allow at least ${ENOUGH_MEMORY_MIB} MiB: MemoryMax= of the unit, or the limit of the container`,
  })
}

/** Of this process' cgroup, the smallest on the way up, in bytes. cgroups(7) */
export function memoryLimit(): number {
  const groups = readText('/proc/self/cgroup') ?? ''
  const limits = groups.split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = line.split(':')
    if (controllers === '' && path !== '') return limitsUpwards('/sys/fs/cgroup', path, 'memory.max')
    if (controllers.split(',').includes('memory')) {
      return limitsUpwards('/sys/fs/cgroup/memory', path, 'memory.limit_in_bytes')
    }
    return []
  })
  return Math.min(Number.POSITIVE_INFINITY, ...limits)
}

function limitsUpwards(root: string, path: string, file: string): number[] {
  const limit = Number(readText(join(root, path, file)) ?? 'max')
  // "max", or its equivalent in version 1: the largest multiple of the page size.
  const limits = Number.isSafeInteger(limit) ? [limit] : []
  return path === '/' ? limits : [...limits, ...limitsUpwards(root, dirname(path), file)]
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
