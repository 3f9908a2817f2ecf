/**
 * Fails every test that ends with other descriptors or shared mappings than it began with: left open, or closed although
 * it belonged to somebody else. A test's own teardown runs first. What the garbage collector had to close counts as a
 * leak too (the process warning MEMSVC_LEAK).
 */
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LeakDetector } from 'memfd-native'
import type { Test } from 'tap'
import { openDescriptors, sharedMappings } from './inventory.ts'

/** Turns of the event loop that libuv and finalizers get to close what they were told to. */
const SETTLING_TURNS = 20

/** Checks all tests below `t`, nested ones too. Call it before the first of them. */
export function leakChecked(t: Test): void {
  openSpareDescriptor()
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

/** A full collection, now. Finalizers run in the turns of the event loop after it. */
export function collectGarbage(): void {
  LeakDetector.registerAll()
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** libuv keeps a descriptor of /dev/null in reserve from the first stream of a thread on: it is no test's. */
function openSpareDescriptor(): void {
  connect('/')
    .on('error', () => {})
    .destroy()
}

async function settledChanges(before: string[]): Promise<string[]> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) {
    await setImmediate()
    if (changesSince(before).length === 0) return []
    if (turn === SETTLING_TURNS / 2) collectGarbage()
  }
  return changesSince(before)
}

function changesSince(before: string[]): string[] {
  const after = inventory()
  const opened = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`)
  const closed = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`)
  return [...opened, ...closed]
}

function inventory(): string[] {
  return [...openDescriptors(), ...sharedMappings()]
}
