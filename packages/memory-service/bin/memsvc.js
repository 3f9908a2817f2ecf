#!/usr/bin/env node
// What a command that ends soon takes is mostly the loading of modules: it is CommonJS, in one file, with the compiled code beside it for
// the Node.js that built (another keeps it itself, from 22 on). `status` is first tried by a bundle that is much smaller. The daemon,
// and what is rare, are ES modules.
const { closeSync, openSync, readFileSync, readSync } = require('node:fs')

const ASKING = ['inspect', 'limits', 'list', 'log', 'metrics', 'reload', 'status', 'stop', 'top', 'version']
const folder = `${__dirname}/../dist`
/** More than any compiled code has. */
const MAX_BYTES = 2 ** 21

/** What the bundle exports. */
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

function fail(error) {
  if (!['ERR_UNSUPPORTED_OPERATION', 'ERR_DLOPEN_DISABLED'].includes(error.code)) throw error
  process.stderr.write(`memsvc: ${error.message}\n`) // no binary for this machine, or none may be loaded
  process.exitCode = 1
}

/** As the library's clock: `performance.now()` would have to be loaded. */
function now() {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

const [, , command] = process.argv
try {
  if (command === 'status') {
    const { tryStatus } = load('quick-status')
    const begin = now()
    tryStatus(process.argv.slice(2), begin).then((isDone) => {
      const spentMs = now() - begin
      return isDone ? process.exit(0) : load('ask').main(spentMs)
    })
  } else if (ASKING.includes(command)) load('ask').main()
  else import('../dist/bundle/main.js').then(({ main }) => main()).catch(fail)
} catch (error) {
  fail(error)
}
