/**
 * The bundle is in parts: what a program does not use is not loaded, and what it uses is what it was with everything in one file. Each
 * program runs in a copy of the package.
 */
import t, { type Test } from 'tap'
import { nodeFs, nodePath, nodeUrl, runProgram } from '../../test-support/index.ts'

const PACKAGES = nodeUrl.fileURLToPath(new URL('../../../../', import.meta.url))
const BUNDLE = nodePath.join(PACKAGES, 'shared/dist/bundle')
const PARTS = nodeFs.readdirSync(BUNDLE).filter((name) => name.endsWith('.cjs'))

const BEGIN = `
  import * as shared from '@memsvc/shared'
  import { createRequire } from 'node:module'
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).map((path) => path.replace(/.*\\//, '')).sort()
  const seen = (action) => { try { return action() } catch (error) { return error } }
`

/** The package alone, in a folder where memfd-native is found, and a program that uses it. @returns what that said last, as JSON */
async function run(t: Test, body: string, change: (bundle: string) => void = () => undefined): Promise<unknown> {
  const program = copy(t, body, change)
  const { code, stdout, stderr } = await runProgram(program, [], { env: {} })
  t.equal(code, 0, stderr)
  t.equal(stderr, '')
  return JSON.parse(stdout)
}

function copy(t: Test, body: string, change: (bundle: string) => void): string {
  const folder = t.testdir({ 'program.mjs': BEGIN + body, node_modules: { '@memsvc': { shared: {} } } })
  const modules = nodePath.join(folder, 'node_modules')
  nodeFs.symlinkSync(nodePath.join(PACKAGES, 'memfd-native'), nodePath.join(modules, 'memfd-native'))
  const own = nodePath.join(modules, '@memsvc/shared')
  nodeFs.cpSync(nodePath.join(PACKAGES, 'shared/package.json'), nodePath.join(own, 'package.json'))
  nodeFs.cpSync(BUNDLE, nodePath.join(own, 'dist/bundle'), { recursive: true })
  change(nodePath.join(own, 'dist/bundle'))
  return nodePath.join(folder, 'program.mjs')
}

t.test('a part is loaded when something in it is used, and not before', async (t) => {
  const said = await run(
    t,
    `const steps = [loaded(), shared.IBinder.FLAG_ONEWAY, shared.DEFAULT_SERVICE_NAME, loaded()]
     const file = new shared.MemoryFile('part', 8)
     steps.push(loaded())
     class Own extends shared.Binder {}
     shared.Parcel.obtain().writeStrongBinder(new Own())
     void [file instanceof shared.MemoryFile, typeof shared.OwnedStore, shared.SharedMemory !== null, \`\${shared.IStore === null}\`]
     steps.push(loaded())
     shared.SharedMemory.create('part', 4096).close()
     steps.push(loaded())
     new shared.OwnedValue().close()
     steps.push(loaded())
     file.close()
     console.log(JSON.stringify(steps))`,
  )
  t.strictSame(said, [
    [],
    1,
    'AnonymousSharedMemory',
    [],
    ['core.cjs'],
    ['core.cjs'],
    ['core.cjs', 'memory.cjs'],
    ['core.cjs', 'memory.cjs', 'owner.cjs', 'reader.cjs'],
  ])
})

t.test('once its part is loaded, a name is the class itself, and what was taken before still works', async (t) => {
  const said = await run(
    t,
    `const { isProxy } = createRequire(import.meta.url)('node:util').types
     const { MemoryFile, OwnedValue, types, defineInterface } = shared
     class Mine extends shared.Binder {}
     const [file, own] = [new MemoryFile('part', 8), new OwnedValue()]
     console.log(JSON.stringify({
       stays: [MemoryFile, OwnedValue, types].map(isProxy),
       becomes: [shared.MemoryFile, shared.OwnedValue, shared.types, shared.IMemoryService, shared.ServiceManager].map(isProxy),
       constructors: [file.constructor === shared.MemoryFile, own.constructor === shared.OwnedValue],
       is: [file instanceof MemoryFile, new shared.MemoryFile('b', 8) instanceof MemoryFile, new Mine() instanceof shared.Binder],
       works: [types.int === shared.types.int, new MemoryFile('c', 4).length(), defineInterface('a', {}).DESCRIPTOR],
     }))
     process.exit()`,
  )
  t.strictSame(said, {
    stays: [true, true, true],
    becomes: [false, false, false, false, false],
    constructors: [true, true],
    is: [true, true, true],
    works: [true, 4, 'a'],
  })
})

t.test(
  'a program that replaces readFileSync of node:fs before it uses anything gets the parts all the same',
  async (t) => {
    const said = await run(
      t,
      `const fs = createRequire(import.meta.url)('node:fs')
     fs.readFileSync = () => 'stub'
     const file = new shared.MemoryFile('part', 8)
     const store = new shared.OwnedStore()
     store.set('k', 1)
     console.log(JSON.stringify([file.length(), store.get('k'), file instanceof shared.MemoryFile]))
     for (const each of [file, store]) each.close()`,
    )
    t.strictSame(said, [8, 1, true])
  },
)

t.test('a class that is loaded late is a class like others', async (t) => {
  const said = await run(
    t,
    `class Mine extends shared.OwnedValue { constructor() { super({ initialValue: 7 }) } twice() { return 2 * this.get() } }
     const [own, mine] = [new shared.OwnedValue(), new Mine()]
     console.log(JSON.stringify({
       is: [own instanceof shared.OwnedValue, mine instanceof shared.OwnedValue, mine instanceof Mine, own instanceof Mine, mine.twice()],
       foreign: [{} instanceof shared.OwnedValue, shared.MemoryFile.prototype instanceof shared.OwnedValue],
       name: [shared.OwnedValue.name, own.constructor.name, typeof shared.OwnedValue, String(own).slice(0, 7)],
       keys: [Reflect.ownKeys(shared.OwnedValue).sort(), Object.keys(shared.ashmem).length > 9, 'Stub' in shared.IStore],
       described: Object.entries(Object.getOwnPropertyDescriptors(shared.SharedMemory)).every(([key, { value }]) => typeof value === typeof shared.SharedMemory[key]),
       called: seen(() => shared.OwnedValue()).name,
       once: shared.IStore.Stub === shared.IStore.Stub && shared.SharedMemory.create === shared.SharedMemory.create && shared.SharedMemory.create.name === 'create' && shared.OwnedValue.prototype === Object.getPrototypeOf(own),
       patched: [(shared.ashmem.extra = 1), shared.ashmem.extra, delete shared.ashmem.extra, 'extra' in shared.ashmem],
     }))
     for (const each of [own, mine]) each.close()`,
  )
  t.strictSame(said, {
    is: [true, true, true, false, 14],
    foreign: [false, false],
    name: ['OwnedValue', 'OwnedValue', 'function', '[object'],
    keys: [['length', 'name', 'prototype'], true, true],
    described: true,
    called: 'TypeError',
    once: true,
    patched: [1, 1, true, false],
  })
})

/** Of a name that is taken out of the module: it is a stand-in, unless its part was loaded before. */
const OPERATIONS = `
  const { Binder, MemoryFile, SharedMemory, ashmem, types, IStore } = shared
  const outcome = (action) => { try { return action() } catch (error) { return error.name } }
  const all = { Binder, MemoryFile, SharedMemory, ashmem, types, IStore }
  const facts = (it) => [Reflect.ownKeys(it).map(String).sort(), Object.isExtensible(it), Object.isSealed(it), Object.isFrozen(it)]
  const results = {
    first: Object.values(all).map(facts),
    subclasses: outcome(() => {
      class Camera extends Binder {}
      Camera.instances = 0
      class Radio extends Binder {}
      Radio.instances = 5
      return [Camera.instances, Radio.instances, Object.hasOwn(Camera, 'instances'), 'instances' in Binder]
    }),
    heirs: Object.values(all).map((it) => outcome(() => {
      const heir = Object.create(it)
      heir.own = 1
      const other = {}
      return [heir.own, Object.keys(heir), 'own' in it, Reflect.set(it, 'own', 2, other), other.own, 'own' in it]
    })),
    accessor: outcome(() => {
      class Camera extends MemoryFile {}
      Object.defineProperty(MemoryFile, 'who', { get() { return this === Camera ? 'camera' : this === MemoryFile ? 'file' : 'nobody' }, set(value) { this.kept = value }, configurable: true })
      Camera.who = 7
      const said = [Camera.who, Reflect.get(MemoryFile, 'who', {}), Object.hasOwn(Camera, 'kept'), Object.hasOwn(MemoryFile, 'kept')]
      return [...said, delete MemoryFile.who]
    }),
    staying: outcome(() => {
      Object.defineProperty(MemoryFile, 'stays', { value: 1 })
      Object.defineProperty(MemoryFile, 'fixed', { value: 1, configurable: false })
      const again = outcome(() => Object.defineProperty(MemoryFile, 'fixed', { value: 2 }))
      return [MemoryFile.fixed, Reflect.deleteProperty(MemoryFile, 'fixed'), again, MemoryFile.stays, Object.getOwnPropertyDescriptor(MemoryFile, 'fixed')]
    }),
    prototype: outcome(() => [Object.setPrototypeOf(ashmem, { inherited: 1 }) === ashmem, ashmem.inherited, Object.getPrototypeOf(ashmem).inherited]),
    sealed: outcome(() => [facts(Object.seal(ashmem)), outcome(() => { ashmem.more = 1 }), outcome(() => { ashmem.own = 1 }), typeof ashmem.memfdName]),
    frozen: Object.values(all).map((it) => outcome(() => [facts(Object.freeze(it)), outcome(() => { it.more = 1 }), outcome(() => { it.name = 'x' }), Reflect.deleteProperty(it, 'name')])),
    works: outcome(() => {
      class Mine extends MemoryFile {}
      const [file, mine, memory] = [new MemoryFile('a', 8), new Mine('b', 8), SharedMemory.create('c', 4096)]
      const said = [file.length(), mine instanceof MemoryFile, memory.getSize(), types.int !== undefined, typeof Binder.getCallingUid, facts(types)]
      for (const each of [file, mine, memory]) each.close()
      return said
    }),
  }
  console.log(JSON.stringify(results))`

t.test('what is done to a stand-in comes out as done to the class', async (t) => {
  const before = await run(t, OPERATIONS)
  const load =
    'new shared.MemoryFile("first", 8).close(); shared.SharedMemory.create("first", 4096).close(); shared.IStore.Stub;'
  const after = await run(t, load + OPERATIONS)
  t.strictSame(before, after)
  t.match(after, { subclasses: [0, 5, true, false], prototype: [true, 1, 1], works: [8, true, 4096, true] })
})

t.test('its errors name the method that was called, and lines of the part', async (t) => {
  const said = (await run(
    t,
    `const own = new shared.OwnedValue()
     const errors = [() => new shared.OwnedValue({ initialValue: 0.5 }), () => shared.SharedMemory.create('a', -1), () => shared.ashmem.purge('x'), () => own.set('x')].map(seen)
     own.close()
     console.log(JSON.stringify(errors.map(({ message, stack }) => [message.split(':')[0], stack])))`,
  )) as [string, string][]
  t.strictSame(
    said.map(([method]) => method),
    ['new OwnedValue', 'SharedMemory.create', 'ashmem.purge', 'OwnedValue.set'],
  )
  const [, stack] = said[0] as [string, string]
  const [, line] = /new OwnedValue .*owner\.cjs:(\d+)/.exec(stack) ?? []
  const lines = nodeFs.readFileSync(nodePath.join(BUNDLE, 'owner.cjs'), 'utf8').split('\n')
  t.match(lines[Number(line) - 1], /checkInt32\("initialValue"/, 'the line in the stack is the one in the file')
})

t.test('with source maps a stack names our sources, also in a part', async (t) => {
  const program = copy(t, `new shared.OwnedValue({ initialValue: 0.5 })`, () => undefined)
  const { stderr } = await runProgram(program, [], { env: { NODE_OPTIONS: '--enable-source-maps' } })
  t.match(stderr, /src\/value\/owned-value\.ts:\d+/)
})

t.test('a part of another build is refused', async (t) => {
  const said = await run(
    t,
    `console.log(JSON.stringify([seen(() => new shared.OwnedValue()), seen(() => new shared.OwnedStore())].map(String)))`,
    (bundle) => {
      const path = nodePath.join(bundle, 'owner.cjs')
      nodeFs.writeFileSync(
        path,
        nodeFs.readFileSync(path, 'utf8').replace(/libraryBuild !== '\w+'/, `libraryBuild !== 'x'`),
      )
    },
  )
  const refused = 'Error: @memsvc/shared was installed anew while this program runs: it must be started again'
  t.strictSame(said, [refused, refused])
})

t.test('bundlers are led to the same names, and need no files', async (t) => {
  const namesOf = `async (entry) => Object.keys(await import(new URL(entry, import.meta.resolve('@memsvc/shared')))).sort()`
  const said = (await run(
    t,
    `const namesOf = ${namesOf}
     const { OwnedStore } = await import(new URL('module/index.js', import.meta.resolve('@memsvc/shared')))
     const store = new OwnedStore()
     store.set('k', 1)
     console.log(JSON.stringify([store.get('k'), loaded(), await namesOf('index.js'), await namesOf('module/index.js'), await namesOf('module/internal.js')]))
     store.close()`,
    (bundle) => {
      for (const part of PARTS) nodeFs.rmSync(nodePath.join(bundle, part))
    },
  )) as unknown[]
  const internal = Object.keys((await import(nodePath.join(BUNDLE, 'internal.js'))) as object).sort()
  t.strictSame(said.slice(0, 2), [1, []])
  t.strictSame(said[2], said[3])
  t.strictSame(said[4], internal)
})
