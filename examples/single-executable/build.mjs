/** Makes one file of the program, Node.js and the addon: `node build.mjs OUTPUT`. Needs esbuild, and postject from npm. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { addonPath } from 'memfd-native'

const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const output = resolve(process.argv[2] ?? 'app')
const folder = mkdtempSync(join(tmpdir(), 'memsvc-executable-'))
const inFolder = (name) => join(folder, name)
try {
  await build({
    entryPoints: [fileURLToPath(new URL('start.cjs', import.meta.url))],
    outfile: inFolder('app.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logOverride: { 'empty-import-meta': 'silent' }, // only memfd-native asks where it lies, and it is told where the addon is
  })
  const settings = {
    main: inFolder('app.cjs'),
    output: inFolder('app.blob'),
    disableExperimentalSEAWarning: true,
    assets: { 'memfd-native.node': addonPath() },
  }
  writeFileSync(inFolder('sea.json'), JSON.stringify(settings))
  execFileSync(process.execPath, ['--experimental-sea-config', inFolder('sea.json')])
  copyFileSync(process.execPath, output)
  chmodSync(output, 0o755)
  execFileSync('npx', [
    '--yes',
    'postject@1.0.0-alpha.6',
    output,
    'NODE_SEA_BLOB',
    settings.output,
    '--sentinel-fuse',
    FUSE,
  ])
} finally {
  rmSync(folder, { recursive: true })
}
