// What the executable runs: the addon, which is an asset in it, becomes a file for as long as it takes to load it.
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { getRawAsset } = require('node:sea')

const folder = mkdtempSync(join(tmpdir(), 'app-'))
try {
  process.env.MEMFD_NATIVE_ADDON = join(folder, 'memfd-native.node')
  writeFileSync(process.env.MEMFD_NATIVE_ADDON, Buffer.from(getRawAsset('memfd-native.node')))
  require('./app.mjs')
} finally {
  rmSync(folder, { recursive: true })
}
