#!/usr/bin/env node
// CommonJS, and in one file: what this tool takes is mostly the loading of modules. Of a file that ends in .cjs Node.js reads no
// package.json to know what it is (0.03x `node -e 0`); memclient.js leads here. Compiled code is kept: the build leaves it
// beside the bundle, for the Node.js that built; another Node.js keeps it itself, from 22 on. `read` and `get` are first
// tried by a second bundle each, which is a sixth of the size.
const { closeSync, openSync, readFileSync, readSync } = require('node:fs')

const folder = `${__dirname}/../dist`
/** More than any compiled code has. */
const MAX_BYTES = 2 ** 21

/** What a bundle exports. */
function load(name) {
  const bundle = `${folder}/${name}.cjs`
  const script = compiled(bundle, `${folder}/${name}.code-cache`)
  if (script === null || script.cachedDataRejected) {
    require('node:module').enableCompileCache?.()
    return require(bundle)
  }
  const module = { exports: {} }
  script.runInThisContext()(require, folder, module)
  return module.exports
}

function fail(error) {
  if (!['ERR_UNSUPPORTED_OPERATION', 'ERR_DLOPEN_DISABLED'].includes(error.code)) throw error
  process.stderr.write(`memclient: ${error.message}\n`) // no binary for this machine, or none may be loaded
  process.exitCode = 1
}

function compiled(bundle, codeCache) {
  const cachedData = tryRead(codeCache)
  if (cachedData === null) return null
  const { Script } = require('node:vm')
  const code = readFileSync(bundle, 'utf8') // Node reads that in one call
  const source = `(function (require, __dirname, module) {${code}\n})` // in one line, as in scripts/lib/record-code.cjs
  return new Script(source, { filename: bundle, cachedData })
}

/** As readFileSync, without a dozen of Node's functions that are compiled when they are first called. Null: there is no such file. */
function tryRead(path) {
  try {
    const fd = openSync(path)
    const bytes = new Uint8Array(MAX_BYTES)
    const count = readSync(fd, bytes)
    closeSync(fd)
    return bytes.subarray(0, count)
  } catch {
    return null
  }
}

const importWindow = () => import('@memsvc/ui')

/** What is tried first, by command. */
const QUICK = new Map([
  ['read', { bundle: 'quick-read', name: 'tryRead' }],
  ['get', { bundle: 'quick-get', name: 'tryGet' }],
])

/** As the library's clock: `performance.now()` would have to be loaded. */
const [seconds, nanoseconds] = process.hrtime()
const begin = seconds * 1000 + nanoseconds / 1e6
const quick = QUICK.get(process.argv[2])
try {
  if (quick === undefined) load('memclient').main(begin, importWindow)
  else {
    const attempt = load(quick.bundle)[quick.name]
    attempt(process.argv.slice(2), begin).then((isDone) =>
      isDone ? process.exit(0) : load('memclient').main(begin, importWindow),
    )
  }
} catch (error) {
  fail(error)
}
