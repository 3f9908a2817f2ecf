/** The ways in which programs use the packages. Each is a list of commands for a Node.js; null: that version cannot do it. */
import { bin } from './tools.mjs'

const plain = (...args) => [args]
const vm = '--experimental-vm-modules'
const vitest = (pool, environment) => {
  const options = [
    '--run',
    '--testTimeout=100000',
    `--pool=${pool}`,
    `--environment=${environment}`,
    '--root=.',
    'vitest.test.mjs',
  ]
  return plain(bin('vitest'), ...options)
}
const jest = (kind, environment) => {
  const config = JSON.stringify({
    testEnvironment: environment,
    transform: {},
    testMatch: [`**/jest-${kind}.test.*js`],
    testTimeout: 100_000,
    moduleFileExtensions: ['mjs', 'cjs', 'js', 'json'],
  })
  return plain(vm, bin('jest'), '--config', config, '--rootDir=.')
}
const bundled = (bundler, mode) => [['bundle.mjs', bundler, mode], [`dist/${bundler}-${mode}.mjs`]]

/** By name: `(major) => commands`, each the arguments of node. */
export const WAYS = {
  'ES module': () => plain('esm.mjs'),
  require: () => plain('require.cjs'),
  'worker thread': () => plain('worker.mjs'),
  'node:vm context': () => plain(vm, 'realm.mjs'),
  'type stripping': (major) => (major < 22 ? null : plain('types.mts')),
  tsx: () => plain(bin('tsx'), 'types.mts'),
  ...Object.fromEntries(
    ['threads', 'forks', 'vmThreads'].flatMap((pool) =>
      ['node', 'jsdom'].map((environment) => [`vitest, ${pool}, ${environment}`, () => vitest(pool, environment)]),
    ),
  ),
  ...Object.fromEntries(
    ['esm', 'cjs'].flatMap((kind) =>
      ['node', 'jsdom'].map((environment) => [
        `jest, ${kind === 'esm' ? 'ES module' : 'CommonJS with import()'}, ${environment}`,
        () => jest(kind, environment),
      ]),
    ),
  ),
  ...Object.fromEntries(
    ['esbuild', 'rollup', 'webpack', 'vite'].flatMap((bundler) =>
      ['external', 'inside'].map((mode) => [`${bundler}, ${mode}`, () => bundled(bundler, mode)]),
    ),
  ),
}
