/**
 * Fails every test that ends with other descriptors or file mappings than it began with: left open, or closed although
 * they belonged to somebody else. Also when the garbage collector had to close something (the warning MEMSVC_LEAK).
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Test } from 'tap'
import { LeakDetector } from '../src/leak-detector.ts'

/** Turns of the event loop that libuv and finalizers get to close what they were told to. */
const SETTLING_TURNS = 20

/** Checks all tests below `t`. Call it before the first of them. */
export function leakChecked(t: Test): void {
  openLibuvsReserve()
  const before = new WeakMap<Test, string[]>()
  const warnings: string[] = []
  process.on('warning', (warning) => {
    if ('code' in warning && warning.code === 'MEMSVC_LEAK') warnings.push(warning.message)
  })
  t.beforeEach((test) => {
    before.set(test, inventory())
  })
  t.afterEach(async (test) => {
    const changes = await settledChanges(before.get(test) ?? [])
    const found = [...changes, ...warnings.splice(0)]
    if (found.length > 0) throw new Error(`leaked in "${test.name}":\n${found.join('\n')}`)
  })
}

/** With its first stream libuv opens a descriptor to have one to spare at EMFILE, and keeps it. */
function openLibuvsReserve(): void {
  createServer().listen(`\0memfd-native-${process.pid}`).close()
}

/**
 * Full collections, and the turns of the event loop that their finalizers run in. Two, because V8 frees the memory of
 * ArrayBuffers in a thread of its own, and only the next collection waits for that.
 */
export async function collectGarbage(): Promise<void> {
  LeakDetector.registerAll()
  setFlagsFromString('--expose-gc')
  for (let collection = 0; collection < 2; collection++) {
    await setImmediate() // so that no frame on the stack still holds what was forgotten
    runInNewContext('gc')()
    for (let turn = 0; turn < SETTLING_TURNS; turn++) await setImmediate()
  }
}

/** The open descriptors of this process and what each leads to. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`fd ${fd} -> ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return [] // the descriptor of the listing itself: closed by now
    }
  })
}

/** The mappings of memfds, and all shared ones. libuv's io_uring rings are its own affair. */
export function memfdMappings(): string[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => (line.includes('/memfd:') || / ...s /.test(line)) && !line.includes('[io_uring]'))
}

function inventory(): string[] {
  return [...openDescriptors(), ...memfdMappings()]
}

async function settledChanges(before: string[]): Promise<string[]> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) {
    await setImmediate()
    if (changesSince(before).length === 0) return []
  }
  await collectGarbage()
  return changesSince(before)
}

function changesSince(before: string[]): string[] {
  const after = inventory()
  const added = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`)
  const removed = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`)
  return [...added, ...removed]
}
