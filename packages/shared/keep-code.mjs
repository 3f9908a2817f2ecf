/**
 * `node node_modules/@memsvc/shared/keep-code.mjs [REGISTRY]`: keeps what V8 compiles of the library, beside the library, for this version
 * of Node.js: programs start sooner. What it compiles depends on what is run, so a value and a store of a daemon are read, if there is
 * one. The build does the same.
 */
import { renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { codeCachePath, compileLibrary, runLibrary } from './dist/bundle/compiled.js'

const [path] = process.argv.slice(2)
const script = compileLibrary()
const { ServiceManager, SharedStore, SharedValue } = runLibrary(script)

async function read() {
  const manager = await ServiceManager.connect(path === undefined ? {} : { path })
  const value = await SharedValue.open(manager)
  value.get()
  const store = await SharedStore.open(undefined, { manager })
  store.get('k')
  for (const each of [store, value, manager]) each.close()
}

await read().catch((error) => console.log(`keep-code: nothing was read: ${error.message}`))
// At once or not at all: V8 believes what it finds there, as one believes a program.
const file = codeCachePath()
writeFileSync(`${file}.new`, script.createCachedData())
renameSync(`${file}.new`, file)
