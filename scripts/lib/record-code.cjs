// Runs memclient's bundle as its bin/memclient.js does, and keeps the code that was compiled meanwhile. Arguments: the folder
// of the bundle, then memclient's own.
const { readFileSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { Script } = require('node:vm')

const [folder] = process.argv.splice(2, 1)
const bundle = `${folder}/memclient.cjs`
const source = `(function (require, __dirname) {${readFileSync(bundle, 'latin1')}\n})`
const script = new Script(source, { filename: bundle })
process.once('exit', (code) => {
  if (code === 0) writeFileSync(`${folder}/memclient.code-cache`, script.createCachedData())
})
script.runInThisContext()(createRequire(bundle), folder)
