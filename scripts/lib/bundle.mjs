/**
 * Bundles memclient into one CommonJS file: what a short-lived tool pays for is loading modules, and Node loads one file
 * in a fraction of the time that seventy take, and CommonJS sooner than ES modules.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * `import.meta.url` of a module, said in CommonJS, from where the bundle is. The addon's package is looked for where
 * workspaces and npm put it, before Node is asked: resolving a package by its exports takes Node milliseconds.
 */
function moduleUrl(path, packageFolder) {
  const file = path.includes('/memfd-native/')
    ? 'memfdNative()'
    : `__dirname + ${JSON.stringify(path.slice(packageFolder.length))}`
  return `require('node:url').pathToFileURL(${file}).href`
}

const BANNER = `
function memfdNative() {
  const { existsSync } = require('node:fs')
  const places = ['../..', '../../..'].map((up) => __dirname + '/' + up + '/memfd-native/dist/src/index.js')
  return places.find((place) => existsSync(place)) ?? require.resolve('memfd-native')
}`

/** @returns the bundle's path */
export async function bundleMemclient(repositoryRoot) {
  const output = join(repositoryRoot, 'packages/client-cli/dist')
  const bundle = join(output, 'memclient.cjs')
  await build({
    entryPoints: [join(output, 'src/main.js')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: BANNER },
    external: ['commander', 'node-gyp-build'],
    logLevel: 'warning',
    plugins: [
      {
        name: 'module-urls',
        setup({ onLoad }) {
          onLoad({ filter: /packages\/.*\/dist\/src\/.*\.js$/ }, async ({ path }) => {
            const text = await readFile(path, 'utf8')
            return { contents: text.replaceAll('import.meta.url', moduleUrl(path, output)), loader: 'js' }
          })
        },
      },
    ],
  })
  return bundle
}
