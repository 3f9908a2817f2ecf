/** Prepares sources for a bundle: removes their comments, which are in the types, and adapts them to where they run. */
import { readFile } from 'node:fs/promises'

/** One that stands on lines of its own. */
const COMMENT = /^[ \t]*\/\*(?:(?!\*\/)[\s\S])*\*\/[ \t]*$/gm

/** Each line stays where it is: of it a stack tells. */
export function withoutComments(source) {
  return source.replace(COMMENT, (comment) => comment.replace(/[^\n]+/g, ''))
}

/** For esbuild. @param change `(text, path)`: what else is another there */
export function bundledSources(change = (text) => text) {
  return {
    name: 'bundled-sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
        const text = withoutUnused(await readFile(path, 'utf8'), path)
        return { contents: change(withoutComments(text), path), loader: path.endsWith('ts') ? 'ts' : 'js' }
      })
    },
  }
}

/** Of what others made: commander runs no other programs for us, and pino has no threads. Node would have to load much for it. */
function withoutUnused(text, path) {
  if (path.endsWith('/commander/lib/command.js')) return text.replace("require('node:child_process')", 'null')
  return path.endsWith('/pino/lib/transport.js') ? 'module.exports = null' : text
}

/**
 * Where a module's own folder is, said in CommonJS: of memfd-native, which finds its addon by it, where workspaces and npm
 * put the package; resolving it by its exports would take Node milliseconds.
 */
export function withFolders(text, path) {
  if (!/packages\/.*\/src\/.*\.ts$/.test(path)) return text
  const folder = path.includes('/memfd-native/') ? 'memfdNative()' : `__dirname + '/src'`
  return text.replaceAll('import.meta.dirname', folder).replaceAll('import.meta.filename', `${folder} + '/index.js'`)
}

/** Ahead of a bundle that withFolders made. */
export const FOLDERS = `
function memfdNative() {
  const { existsSync } = require('node:fs')
  const places = ['../..', '../../..'].map((up) => __dirname + '/' + up + '/memfd-native/dist/src')
  return places.find((place) => existsSync(place)) ?? require('node:path').dirname(require.resolve('memfd-native'))
}`
