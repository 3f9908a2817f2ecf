/** Attaches and closes COUNT times, and counts what is left. Words: ROOT REGISTRY COUNT. */
import { readdirSync, readFileSync } from 'node:fs'
import { loadShared } from './library.ts'
import { serveSamples, verify } from './samples.ts'

const [root = '', path = '', count = ''] = process.argv.slice(2)
const { ServiceManager, SharedValue } = await loadShared(root)

async function cycle(): Promise<void> {
  using manager = await ServiceManager.connect({ path })
  using value = await SharedValue.open(manager)
  verify(value.get() === 0, 'the value is there')
}

function inventory(): { descriptors: number; mappings: number } {
  const mappings = readFileSync('/proc/self/maps', 'utf8').split('/memfd:').length - 1
  return { descriptors: readdirSync('/proc/self/fd').length, mappings }
}

async function cycles(): Promise<Record<string, number>> {
  // What is made once, and stays, is made here.
  await cycle()
  const before = inventory()
  for (let i = 0; i < Number(count); i++) await cycle()
  const after = inventory()
  return {
    cycles: Number(count),
    descriptors: after.descriptors - before.descriptors,
    mappings: after.mappings - before.mappings,
  }
}

await serveSamples({ cycles })
