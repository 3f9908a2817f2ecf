/** Runs esm.mjs in a realm of its own, which has nothing but the language: what test runners do by node:vm. */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm'

const context = createContext({ console, process })
const modules = new Map()

function load(url) {
  if (!modules.has(url)) modules.set(url, isBuiltin(url) ? builtin(url) : source(url))
  return modules.get(url)
}

async function builtin(url) {
  const exported = await import(url)
  const names = Object.keys(exported)
  const evaluate = function () {
    for (const name of names) this.setExport(name, exported[name])
  }
  return new SyntheticModule(names, evaluate, { context, identifier: url })
}

async function source(url) {
  const path = fileURLToPath(url)
  const initializeImportMeta = (meta) => Object.assign(meta, { url, filename: path, dirname: dirname(path) })
  return new SourceTextModule(readFileSync(path, 'utf8'), { context, identifier: url, initializeImportMeta })
}

function link(specifier, from) {
  if (isBuiltin(specifier)) return load(specifier)
  return load(specifier.startsWith('.') ? new URL(specifier, from.identifier).href : import.meta.resolve(specifier))
}

const main = await load(new URL('./esm.mjs', import.meta.url).href)
await main.link(link)
await main.evaluate()
