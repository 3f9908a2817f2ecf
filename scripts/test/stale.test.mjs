import { existsSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installIsDue, nativeBuildIsDue, removeStaleOutput, toolsAreMissing } from '../lib/stale.mjs'
import { writeTree } from './support/check-tree.mjs'

function setTime(root, path, seconds) {
  utimesSync(join(root, path), seconds, seconds)
}

t.test('an install is due until it is newer than package-lock.json', async (t) => {
  const root = t.testdir({ 'package-lock.json': '{}' })
  t.equal(installIsDue(root), true)
  writeTree(root, { 'node_modules/.package-lock.json': '{}' })
  setTime(root, 'package-lock.json', 1000)
  t.equal(installIsDue(root), false)
  setTime(root, 'node_modules/.package-lock.json', 999)
  t.equal(installIsDue(root), true)
})

t.test('tools are missing while one of those for development is not installed', async (t) => {
  const root = t.testdir()
  writeTree(root, { 'package.json': { dependencies: { a: '1' }, devDependencies: { '@b/c': '1', d: '1' } } })
  t.equal(toolsAreMissing(root), true)
  writeTree(root, { 'node_modules/d/package.json': {} })
  t.equal(toolsAreMissing(root), true)
  writeTree(root, { 'node_modules/@b/c/package.json': {} })
  t.equal(toolsAreMissing(root), false)
})

t.test('the addon is due when it is missing or older than any of its sources', async (t) => {
  const native = 'packages/memfd-native'
  const addon = `${native}/build/Release/memfd_native.node`
  const sources = [`${native}/binding.gyp`, `${native}/native/a.cc`, `${native}/native/b.h`]
  const root = t.testdir()
  writeTree(root, Object.fromEntries(sources.map((source) => [source, ''])))
  t.equal(nativeBuildIsDue(root), true)
  writeTree(root, { [addon]: '' })
  for (const source of sources) setTime(root, source, 1000)
  t.equal(nativeBuildIsDue(root), false)
  for (const source of sources) {
    setTime(root, addon, 1500)
    setTime(root, source, 2000)
    t.equal(nativeBuildIsDue(root), true, `changed: ${source}`)
    setTime(root, source, 1000)
  }
})

t.test('compiled files whose source is gone are removed, and nothing else', async (t) => {
  const root = t.testdir()
  const kept = ['test/a.js', 'test/a.d.ts', 'src/b.js.map', 'test.tsbuildinfo'].map((name) => `packages/p/dist/${name}`)
  const gone = ['test/c.js', 'test/c.js.map', 'test/c.d.ts', 'src/d.d.ts.map'].map((name) => `packages/p/dist/${name}`)
  const sources = ['packages/p/package.json', 'packages/p/test/a.ts', 'packages/p/src/b.ts']
  writeTree(root, Object.fromEntries([...kept, ...gone, ...sources].map((path) => [path, '{}'])))
  removeStaleOutput(root)
  for (const path of [...kept, ...sources]) t.ok(existsSync(join(root, path)), path)
  for (const path of gone) t.notOk(existsSync(join(root, path)), path)
})
