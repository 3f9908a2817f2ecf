#!/usr/bin/env node
// CommonJS, and one file: what this tool takes is mostly the loading of modules. Compiled code is kept: the build leaves it
// beside the bundle, for the Node.js that built; another Node.js keeps it itself, from 22 on.
const { existsSync, readFileSync } = require('node:fs')

const folder = `${__dirname}/../dist`
const bundle = `${folder}/memclient.cjs`
const codeCache = `${folder}/memclient.code-cache`

function runCompiled() {
  const { Script } = require('node:vm')
  const code = readFileSync(bundle, 'latin1') // esbuild writes ASCII only
  const source = `(function (require, __dirname) {${code}\n})` // in one line, as in scripts/lib/record-code.cjs
  const script = new Script(source, { filename: bundle, cachedData: readFileSync(codeCache) })
  if (script.cachedDataRejected) return false
  script.runInThisContext()(require, folder)
  return true
}

if (!existsSync(codeCache) || !runCompiled()) {
  require('node:module').enableCompileCache?.()
  require(bundle)
}
