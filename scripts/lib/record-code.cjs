// Runs memclient's bundle as its bin/memclient.js does, and keeps the code that was compiled meanwhile. Arguments: the folder
// of the bundle, then memclient's own.
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { Script } = require('node:vm')

const [folder] = process.argv.splice(2, 1)
const bundle = `${folder}/memclient.cjs`
const source = `(function (require, __dirname) {${readFileSync(bundle, 'latin1')}\n})`
const script = new Script(source, { filename: bundle })
process.once('exit', (code) => {
  if (code !== 0) return
  // At once or not at all: V8 believes what it finds there, as one believes a program.
  writeFileSync(`${folder}/.code-cache`, script.createCachedData())
  renameSync(`${folder}/.code-cache`, `${folder}/memclient.code-cache`)
})
script.runInThisContext()(createRequire(bundle), folder)
