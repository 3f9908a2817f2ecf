/**
 * Reads a value and a store of a daemon by the bundle of @memsvc/shared, and keeps the code that was compiled meanwhile. Arguments:
 * the bundle's compiled.js, `--registry` and its path.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [bundle, , path] = process.argv.slice(2)
const { codeCachePath, compileLibrary, runLibrary } = await import(pathToFileURL(bundle).href)
const script = compileLibrary()
const { ServiceManager, SharedStore, SharedValue } = runLibrary(script)

const manager = await ServiceManager.connect({ path })
const value = await SharedValue.open(manager)
value.get()
const store = await SharedStore.open(undefined, { manager })
store.get('k')
for (const each of [store, value, manager]) each.close()

// At once or not at all: V8 believes what it finds there, as one believes a program.
const file = codeCachePath()
writeFileSync(`${file}.new`, script.createCachedData())
renameSync(`${file}.new`, file)
