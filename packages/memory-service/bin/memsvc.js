#!/usr/bin/env node
// What a command that ends soon takes is mostly the loading of modules: it is CommonJS, in one file, with the compiled code beside it for
// the Node.js that built (another keeps it itself, from 22 on). The daemon, and what is rare, are ES modules.
const { existsSync, readFileSync } = require('node:fs')

const ASKING = ['inspect', 'limits', 'list', 'log', 'metrics', 'reload', 'status', 'stop', 'top', 'version']
const folder = `${__dirname}/../dist`

/** What the bundle exports. */
function load(name) {
  const bundle = `${folder}/${name}.cjs`
  const codeCache = `${folder}/${name}.code-cache`
  const script = existsSync(codeCache) && compiled(bundle, codeCache)
  if (!script || script.cachedDataRejected) {
    require('node:module').enableCompileCache?.()
    return require(bundle)
  }
  const module = { exports: {} }
  script.runInThisContext()(require, folder, module)
  return module.exports
}

function compiled(bundle, codeCache) {
  const { Script } = require('node:vm')
  const code = readFileSync(bundle, 'utf8') // Node reads that in one call
  const source = `(function (require, __dirname, module) {${code}\n})` // in one line, as in scripts/lib/record-code.cjs
  return new Script(source, { filename: bundle, cachedData: readFileSync(codeCache) })
}

function fail(error) {
  if (!['ERR_UNSUPPORTED_OPERATION', 'ERR_DLOPEN_DISABLED'].includes(error.code)) throw error
  process.stderr.write(`memsvc: ${error.message}\n`) // no binary for this machine, or none may be loaded
  process.exitCode = 1
}

try {
  if (ASKING.includes(process.argv[2])) load('ask').main()
  else import('../dist/bundle/main.js').then(({ main }) => main()).catch(fail)
} catch (error) {
  fail(error)
}
