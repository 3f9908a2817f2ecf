/**
 * Bundles memclient into one CommonJS file: what a short-lived tool pays for is loading modules, and Node loads one file
 * in a fraction of the time that seventy take, and CommonJS sooner than ES modules. The sources are bundled, not what the
 * compiler made of them, so that what they need to run on Node 20 is there once and not once in each.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * Where a module's own folder is, said in CommonJS: of memfd-native, which finds its addon by it, where workspaces and npm
 * put the package; resolving it by its exports would take Node milliseconds.
 */
function moduleFolder(path) {
  return path.includes('/memfd-native/') ? 'memfdNative()' : `__dirname + '/src'`
}

const BANNER = `
function memfdNative() {
  const { existsSync } = require('node:fs')
  const places = ['../..', '../../..'].map((up) => __dirname + '/' + up + '/memfd-native/dist/src')
  return places.find((place) => existsSync(place)) ?? require('node:path').dirname(require.resolve('memfd-native'))
}`

/** @returns the bundle's path */
export async function bundleMemclient(repositoryRoot) {
  const packages = join(repositoryRoot, 'packages')
  const bundle = join(packages, 'client-cli/dist/memclient.cjs')
  await build({
    entryPoints: [join(packages, 'client-cli/src/main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: BANNER },
    alias: {
      '@memsvc/shared/internal': join(packages, 'shared/src/internal.ts'),
      '@memsvc/shared': join(packages, 'shared/src/index.ts'),
      'memfd-native': join(packages, 'memfd-native/src/index.ts'),
    },
    external: ['commander', 'node-gyp-build'],
    logLevel: 'warning',
    plugins: [
      {
        name: 'module-folders',
        setup({ onLoad }) {
          onLoad({ filter: /packages\/.*\/src\/.*\.ts$/ }, async ({ path }) => {
            const folder = moduleFolder(path)
            const text = await readFile(path, 'utf8')
            const contents = text
              .replaceAll('import.meta.dirname', folder)
              .replaceAll('import.meta.filename', `${folder} + '/index.js'`)
            return { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  return bundle
}
