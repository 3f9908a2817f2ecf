import t, { type Test } from 'tap'
import { findAddon, libcOf, loadAddon, type Machine } from '../src/load-addon.ts'
import { codeOf, leakChecked, nodeChildProcess, nodeFs, nodePath, tempFolder } from '../test-support/index.ts'

leakChecked(t)
const { mkdirSync, writeFileSync } = nodeFs
const { dirname, join } = nodePath

const LIBCS = ['glibc', 'musl'] as const
const BUILT = 'build/Release/memfd_native.node'
const prebuilt = (arch: string, libc: string) => `prebuilds/linux-${arch}/memfd-native.${libc}.node`
const ALL = ['x64', 'arm64'].flatMap((arch) => LIBCS.map((libc) => prebuilt(arch, libc)))
const HERE: Machine = { platform: 'linux', arch: 'x64', libc: 'glibc' }

/** A package with these files. */
function makePackage(t: Test, files: readonly string[]): string {
  const folder = tempFolder(t)
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), '')
  }
  return folder
}

t.test('each machine gets its own binary of those that are shipped', async (t) => {
  const folder = makePackage(t, ALL)
  for (const arch of ['x64', 'arm64']) {
    for (const libc of LIBCS) {
      t.equal(
        findAddon(folder, () => ({ platform: 'linux', arch, libc })),
        join(folder, prebuilt(arch, libc)),
      )
    }
  }
})

t.test('an addon that was built here comes first, and nothing else is tried', async (t) => {
  const folder = makePackage(t, [...ALL, BUILT])
  const isAsked = () => {
    throw new Error('asked')
  }
  t.equal(findAddon(folder, isAsked), join(folder, BUILT))
})

t.test('MEMFD_NATIVE_ADDON comes before all, for a program that is one file', async (t) => {
  const folder = makePackage(t, [...ALL, BUILT])
  process.env.MEMFD_NATIVE_ADDON = '/somewhere/else.node'
  t.teardown(() => delete process.env.MEMFD_NATIVE_ADDON)
  t.equal(findAddon(folder), '/somewhere/else.node')
})

for (const machine of [
  { ...HERE, libc: 'musl' },
  { ...HERE, arch: 'riscv64' },
  { ...HERE, platform: 'darwin' },
] as const) {
  const { platform, arch, libc } = machine
  t.test(
    `without one for ${platform} ${arch} with ${libc} the error says what was looked for, and how to build it`,
    async (t) => {
      const folder = makePackage(t, [prebuilt('x64', 'glibc')])
      const find = () => findAddon(folder, () => machine)
      t.equal(codeOf(find), 'ERR_UNSUPPORTED_OPERATION')
      const parts = [`for ${platform} ${arch} with ${libc}: `, BUILT, prebuilt(arch, libc), 'node ', 'build-addon.mjs']
      for (const part of parts) t.throws(find, new RegExp(part))
    },
  )
}

t.test('a binary that this machine cannot load is named, with why, and how to build one', async (t) => {
  const folder = makePackage(t, [BUILT])
  const load = () => loadAddon(folder)
  t.equal(codeOf(load), 'ERR_UNSUPPORTED_OPERATION')
  const { platform, arch } = process
  const parts = [join(folder, BUILT), `on ${platform} ${arch} with `, 'too short|Exec format', 'build-addon.mjs']
  for (const part of parts) t.throws(load, new RegExp(part))
  process.env.MEMFD_NATIVE_ADDON = join(folder, 'none.node')
  t.teardown(() => delete process.env.MEMFD_NATIVE_ADDON)
  t.throws(load, /none\.node.*No such file or directory.*MEMFD_NATIVE_ADDON/)
})

t.test('if Node.js may not load addons, the error says what allows it', async (t) => {
  const module = new URL('../src/load-addon.js', import.meta.url).href
  const program = `import(${JSON.stringify(module)}).then(({ loadAddon }) => loadAddon(${JSON.stringify(makePackage(t, [BUILT]))}))`
  const { status, stderr } = nodeChildProcess.spawnSync(process.execPath, ['--no-addons', '-e', program], {
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.match(stderr, /memfd-native.*--allow-addons/)
  t.match(stderr, /code: 'ERR_DLOPEN_DISABLED'/)
})

t.test('the C library is the one whose loader the program names; without a name Node.js is asked', async (t) => {
  t.equal(libcOf('\x7fELF\0/lib64/ld-linux-x86-64.so.2\0'), 'glibc')
  t.equal(libcOf('\x7fELF\0/lib/ld-linux-aarch64.so.1\0'), 'glibc')
  t.equal(libcOf('\x7fELF\0/lib/ld-musl-x86_64.so.1\0'), 'musl')
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  t.equal(libcOf(''), header.glibcVersionRuntime === undefined ? 'musl' : 'glibc')
})
