/** `bundle.mjs BUNDLER external|inside`: makes of esm.mjs one file, dist/BUNDLER-MODE.mjs, with the packages outside of it or inside. */
import { join } from 'node:path'

const [bundler, mode] = process.argv.slice(2)
const OUT = join(import.meta.dirname, 'dist')
const ENTRY = join(import.meta.dirname, 'esm.mjs')
const file = `${bundler}-${mode}.mjs`
const isExternal = (id) => id.startsWith('node:') || (mode === 'external' && /^(@memsvc\/|memfd-native)/.test(id))

const bundlers = {
  async esbuild() {
    const { build } = await import('esbuild')
    const external = mode === 'external' ? ['@memsvc/*', 'memfd-native'] : []
    await build({
      entryPoints: [ENTRY],
      outfile: join(OUT, file),
      bundle: true,
      platform: 'node',
      format: 'esm',
      external,
    })
  },
  async rollup() {
    const { rollup } = await import('rollup')
    const { nodeResolve } = await import('@rollup/plugin-node-resolve')
    const bundle = await rollup({
      input: ENTRY,
      external: isExternal,
      plugins: [nodeResolve({ exportConditions: ['node'] })],
    })
    await bundle.write({ file: join(OUT, file), format: 'esm', inlineDynamicImports: true })
  },
  async webpack() {
    const { default: webpack } = await import('webpack')
    const options = {
      mode: 'production',
      target: 'node20',
      entry: ENTRY,
      output: { path: OUT, filename: file, module: true, chunkFormat: 'module', library: { type: 'module' } },
      experiments: { outputModule: true },
      externalsType: 'module',
      externals: mode === 'external' ? [/^@memsvc\//, 'memfd-native'] : [],
    }
    const stats = await new Promise((resolve, reject) =>
      webpack(options, (error, done) => (error ? reject(error) : resolve(done))),
    )
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
  },
  async vite() {
    const { build } = await import('vite')
    await build({
      root: import.meta.dirname,
      configFile: false,
      logLevel: 'error',
      ssr: mode === 'external' ? {} : { noExternal: true },
      build: {
        ssr: ENTRY,
        outDir: OUT,
        emptyOutDir: false,
        target: 'node20',
        rollupOptions: { external: isExternal, output: { format: 'esm', entryFileNames: file } },
      },
    })
  },
}
await bundlers[bundler]()
