// Runs a bundle of a command's as its program in bin/ does, and keeps the code that was compiled meanwhile. Arguments: the
// bundle, then the command's own.
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname } = require('node:path')
const { Script } = require('node:vm')

const [bundle] = process.argv.splice(2, 1)
const codeCache = bundle.replace(/cjs$/, 'code-cache')
const source = `(function (require, __dirname, module) {${readFileSync(bundle, 'latin1')}\n})`
const script = new Script(source, { filename: bundle })
process.once('exit', (code) => {
  if (code !== 0) return
  // At once or not at all: V8 believes what it finds there, as one believes a program.
  writeFileSync(`${codeCache}.new`, script.createCachedData())
  renameSync(`${codeCache}.new`, codeCache)
})
const module_ = { exports: {} }
script.runInThisContext()(createRequire(bundle), dirname(bundle), module_)
const { main, ...attempts } = module_.exports
const [seconds, nanoseconds] = process.hrtime()
const begin = seconds * 1000 + nanoseconds / 1e6
main?.(begin)
for (const attempt of Object.values(attempts)) {
  attempt(process.argv.slice(2), begin).then((isDone) => process.exit(isDone ? 0 : 1))
}
