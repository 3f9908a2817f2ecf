/** Whether the machine has enough memory for full stores, and the other things that stores need. */
import { readFileSync } from 'node:fs'
import { constants, getrlimit } from 'memfd-native'
import { Access } from '../access/access.ts'
import { StoreAccess } from '../access/store-access.ts'
import { readSettings, type Settings, type SettingsSource } from '../config/settings.ts'
import type { StoreConfiguration } from '../config/stores.ts'
import { type Finding, notOk, ok } from './finding.ts'
import { memoryLimit } from './machine.ts'

const MIB = 1024 * 1024
/** Memory for everything else. */
const REST_BYTES = 128 * MIB

export async function examineStores(source: Omit<SettingsSource, 'openFiles'>): Promise<Finding[]> {
  try {
    const settings = await readSettings({ ...source, openFiles: Number.POSITIVE_INFINITY })
    return [examineCapacity(settings), examineState()]
  } catch {
    return [examineState()] // the configuration is another finding
  }
}

/** A store takes memory as it fills: the machine may look well for long. */
function examineCapacity({ stores, access }: Settings): Finding {
  const name = 'memory for stores'
  const [largest, all] = [Math.max(0, ...stores.map(({ capacity }) => capacity)), sum(stores, access)]
  const memory = Math.min(memoryOfMachine(), memoryLimit())
  const found = `${stores.length} with up to ${inMiB(all)} MiB in total; this machine has ${inMiB(memory)} MiB`
  const { soft } = getrlimit(constants.RLIMIT_FSIZE)
  if (largest > soft) {
    return notOk(name, `a file may have ${soft} bytes, but an area needs ${largest}`, {
      verdict: 'problem',
      follows: 'the daemon refuses to start (EFBIG)',
      remedy: 'raise the limit of file size (ulimit -f, LimitFSIZE=), or lower the capacity in the configuration',
    })
  }
  if (all + REST_BYTES <= memory) return ok(name, found)
  return notOk(name, found, {
    verdict: 'warning',
    follows: 'if the stores fill up, writes fail with ERR_LIMIT, or in a cgroup the kernel kills the daemon',
    remedy: 'lower the capacity of stores in the configuration, or raise MemoryMax= or the limit of the container',
  })
}

function sum(stores: readonly StoreConfiguration[], rules: Settings['access']): number {
  const access = new Access(process.getuid?.() ?? 0, rules)
  return stores.reduce((total, { name, capacity, rules }) => {
    return total + capacity * new StoreAccess(access, name, rules).areas.length
  }, 0)
}

/** Without lmdb everything works but --state. */
function examineState(): Finding {
  const name = 'lmdb, for --state'
  try {
    import.meta.resolve('lmdb')
    return ok(name, 'installed')
  } catch {
    return ok(name, 'not installed; if you want to keep stores on disk: npm install lmdb@3')
  }
}

/** MemTotal of proc_meminfo(5), in bytes. */
function memoryOfMachine(): number {
  const [, kib = 'Infinity'] = /^MemTotal:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1')) ?? []
  return Number(kib) * 1024
}

function inMiB(bytes: number): string {
  return bytes === Number.POSITIVE_INFINITY ? 'unlimited' : String(Math.floor(bytes / MIB))
}
