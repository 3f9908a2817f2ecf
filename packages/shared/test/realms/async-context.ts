/**
 * A callback runs in the async context (AsyncLocalStorage) in which its user gave it, and what the library does for itself in none:
 * whoever was the first to connect is nobody's context but its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import { leakChecked, sessionPair, startRegistry, watchdog } from '../../test-support/index.ts'

const {
  Binder,
  IMemoryService,
  IStore,
  IStoreListener,
  IWatcher,
  OwnedStore,
  OwnedValue,
  Parcel,
  ParcelFileDescriptor,
  ServiceManager,
  SharedStore,
  SharedValue,
  defineInterface,
  types,
} = api

leakChecked(t)
watchdog(t)

const als = new AsyncLocalStorage<string>()

const IAsk = defineInterface('test.IAsk', {
  ask: { code: 1, args: [], returns: types.string },
  askLater: { code: 2, args: [], returns: types.string },
  tell: { code: 3, args: [types.binder], returns: types.string },
})

function seen(): string {
  return als.getStore() ?? 'none'
}

class Ask extends IAsk.Stub {
  ask(): string {
    return seen()
  }

  async askLater(): Promise<string> {
    await new Promise(setImmediate)
    return seen()
  }

  async tell(callback: api.IBinder | null): Promise<string> {
    return (await IAsk.asInterface(callback)?.ask()) ?? ''
  }
}

/** Connected by somebody whose context has nothing to do with anything. */
async function connectFirst(t: Test, path: string): Promise<api.ServiceManager> {
  const manager = await als.run('first', () => ServiceManager.connect({ path }))
  t.teardown(() => manager.close())
  return manager
}

async function ask(manager: api.ServiceManager, name: string): Promise<string[]> {
  const binder = (await manager.getService(name)) as api.IBinder
  const proxy = IAsk.asInterface(binder)
  const answers = [await proxy.ask(), await proxy.askLater()]
  ;(binder as unknown as Disposable)[Symbol.dispose]()
  return answers as string[]
}

t.test('a method runs in the context in which its service was published', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const client = await connectFirst(t, registry)
  await manager.addService('plain', new Ask())
  await als.run('given', () => manager.addService('given', new Ask()))
  t.same(await ask(client, 'plain'), ['none', 'none'])
  t.same(await als.run('caller', () => ask(client, 'given')), ['given', 'given'])
  t.same(await ask(client, 'plain'), ['none', 'none'])
})

t.test(
  'of a service with two names it is the one in which it was published last, also when a name is taken over',
  async (t) => {
    const { registry } = await startRegistry(t)
    const manager = await connectFirst(t, registry)
    const service = new Ask()
    await als.run('one', () => manager.addService('one', service))
    await als.run('two', () => manager.addService('two', service))
    const client = await connectFirst(t, registry)
    t.same(await ask(client, 'one'), ['two', 'two'])
    await als.run('three', () => manager.addService('two', new Ask()))
    const other = await connectFirst(t, registry)
    t.same(await ask(other, 'one'), ['two', 'two'])
    t.same(await ask(other, 'two'), ['three', 'three'])
  },
)

t.test('it does so after the registry died and the service was published again', async (t) => {
  const { registry, program } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  await als.run('given', () => manager.addService('given', new Ask()))
  await program.destroy()
  await startRegistry(t, { registry })
  const client = await connectFirst(t, registry)
  const binder = await als.run('waiting', () => client.waitForService('given'))
  t.equal(await IAsk.asInterface(binder).ask(), 'given')
  ;(binder as unknown as Disposable)[Symbol.dispose]()
})

t.test('a callback in a call runs in the context of the call, and what is awaited in that of who awaits', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const client = await connectFirst(t, registry)
  await als.run('service', () => manager.addService('service', new Ask()))
  const binder = (await client.getService('service')) as api.IBinder
  for (const context of ['one', 'two']) {
    await als.run(context, async () => {
      t.equal(await IAsk.asInterface(binder).tell(new Ask()), context)
      t.equal(seen(), context)
    })
  }
  ;(binder as unknown as Disposable)[Symbol.dispose]()
})

t.test('being told of a registration, and of a death', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const client = await connectFirst(t, registry)
  const heard = new Promise<[string, api.IBinder]>((resolve) => {
    const callback = (_name: string, binder: api.IBinder) => resolve([seen(), binder])
    void als.run('listener', () => client.registerForNotifications('x', callback))
  })
  await als.run('publisher', () => manager.addService('x', new Ask()))
  const [context, binder] = await heard
  t.equal(context, 'listener')
  ;(binder as unknown as Disposable)[Symbol.dispose]()
  const { proxy, server } = sessionPair(t, new Binder())
  const died = new Promise<string>((resolve) => {
    als.run('heir', () => proxy.linkToDeath({ binderDied: () => resolve(seen()) }))
  })
  server.close()
  t.equal(await died, 'heir')
})

t.test('whether somebody may write, and what was written', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const client = await connectFirst(t, registry)
  const contexts: string[] = []
  const owner = als.run('owner', () => {
    const value = new OwnedValue({ mayWrite: () => contexts.push(seen()) > 0 })
    value.onChange = () => contexts.push(`${seen()} of ${Binder.getCallingUid()}`)
    return value
  })
  t.teardown(() => owner.close())
  await manager.addService('value', owner.binder)
  const value = await als.run('client', () => SharedValue.open(client, 'value'))
  await value.set(1)
  als.run('local', () => owner.set(2))
  t.same(contexts, ['owner', `owner of ${process.getuid?.()}`, `owner of ${process.getuid?.()}`])
  value.close()
})

t.test('how a value is told that its service is gone', async (t) => {
  const { registry, program } = await startRegistry(t, { command: 'start' })
  const client = await connectFirst(t, registry)
  const value = await SharedValue.open(client)
  t.teardown(() => value.close())
  const stale = new Promise<string>((resolve) => {
    als.run('watcher', () => {
      value.onStale = () => resolve(seen())
    })
  })
  await program.destroy()
  t.equal(await stale, 'watcher')
})

t.test('how the other end of a reliable pipe ended', async (t) => {
  const [read, write] = ParcelFileDescriptor.createReliablePipe()
  const told = new Promise<string>((resolve) => {
    const listening = als.run('opener', () => ParcelFileDescriptor.wrap(read, () => resolve(seen())))
    listening.close()
  })
  t.equal(await told, 'opener')
  write.close()
})

t.test('a context that a method enters is not that of the next call', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  class Entering extends IMemoryService.Stub {
    getFileDescriptor(): null {
      return null
    }

    setValue(value: number): void {
      if (value === 1) als.enterWith('entered')
      else this.seen = seen()
    }

    seen = ''
  }
  const service = new Entering()
  await manager.addService('entering', service)
  const client = await connectFirst(t, registry)
  const binder = (await client.getService('entering')) as api.IBinder
  const proxy = IMemoryService.asInterface(binder)
  await proxy.setValue(1)
  await proxy.setValue(2)
  t.equal(service.seen, 'none')
  ;(binder as unknown as Disposable)[Symbol.dispose]()
})

t.test('a oneway call that waits for others of its object', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const contexts: string[] = []
  let allCame = (): void => {}
  const done = new Promise<void>((resolve) => {
    allCame = resolve
  })
  class Slow extends Binder {
    override async onTransact(): Promise<boolean> {
      await new Promise(setImmediate)
      if (contexts.push(seen()) === 3) allCame()
      return true
    }
  }
  await als.run('given', () => manager.addService('slow', new Slow()))
  const client = await connectFirst(t, registry)
  const binder = (await client.getService('slow')) as api.IBinder
  const data = Parcel.obtain()
  for (let i = 0; i < 3; i++) await als.run(`call ${i}`, () => binder.transact(1, data, null, Binder.FLAG_ONEWAY))
  await done
  t.same(contexts, ['given', 'given', 'given'])
  data.recycle()
  ;(binder as unknown as Disposable)[Symbol.dispose]()
})

t.test('mayRead, mayWrite and onChange of a store', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const client = await connectFirst(t, registry)
  const heard = new Set<string>()
  const note = (what: string) => heard.add(`${what}: ${seen()}`).size > 0
  const areas = () => [{ keys: ['*'], mayRead: () => note('read') }]
  const owner = als.run(
    'owner',
    () =>
      new OwnedStore({ capacity: 1 << 20, maxKeys: 64, mayWrite: (_, key) => note(`write ${key}`), areas: areas() }),
  )
  t.teardown(() => owner.close())
  als.run('listener', () => {
    owner.onChange = ({ key }) => note(`${key} by ${Binder.getCallingUid()}`)
  })
  await manager.addService('store', owner.binder)
  const store = await als.run('client', () => SharedStore.open('store', { manager: client }))
  await als.run('client', () => store.set('a', 1))
  als.run('local', () => owner.set('b', 2))
  als.run('anew', () => owner.setAreas(areas()))
  const uid = process.getuid?.()
  t.same([...heard].sort(), [
    `a by ${uid}: listener`,
    `b by ${uid}: listener`,
    'read: anew',
    'read: owner',
    'write a: owner',
  ])
  t.equal(typeof owner.onChange, 'function')
  store.close()
})

t.test('watchers and listeners of a store in the process of its owner', async (t) => {
  const owner = new OwnedStore({ capacity: 1 << 20, maxKeys: 64 })
  const told: string[] = []
  class Watching extends IWatcher.Stub {
    onChange(): void {
      told.push(seen())
      if (told.length > 1) throw new Error('of a watcher')
    }
  }
  class Listening extends IStoreListener.Stub {
    onAreas(areas: readonly { readonly descriptor: api.ParcelFileDescriptor }[]): void {
      told.push(seen())
      for (const { descriptor } of areas) descriptor.close()
    }
  }
  const service = IStore.asInterface(owner.binder)
  const watching = new Watching()
  await als.run('watcher', () => service.watch(watching, ''))
  const areas = await als.run('listener', () => service.open(new Listening({ acceptFileDescriptors: true })))
  for (const { descriptor } of areas) descriptor.close()
  als.run('writer', () => owner.set('a', 1))
  als.run('owner', () => owner.resize({ capacity: 1 << 21 }))
  t.same(told, ['watcher', 'listener'])
  await service.acknowledge(watching)
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  als.run('writer', () => owner.set('a', 2)) // what the watcher throws is not thrown here
  t.match(await warned, { code: 'MEMSVC_CALLBACK_ERROR', message: /of a watcher/ })
  t.same(told, ['watcher', 'listener', 'watcher'])
  owner.close()
})

t.test('readers of results of a user type', async (t) => {
  const contextual: api.ParcelType<string | null> = {
    write: (parcel, value) => parcel.writeString(value),
    writeResult: (parcel, value) => parcel.writeString(value),
    read: (parcel) => `${parcel.readString()} ${seen()}`,
  }
  const ITyped = defineInterface('test.ITyped', { get: { code: 1, args: [contextual], returns: contextual } })
  class Typed extends ITyped.Stub {
    get(value: string | null): string | null {
      return value
    }
  }
  const { registry } = await startRegistry(t)
  const manager = await connectFirst(t, registry)
  const client = await connectFirst(t, registry)
  await als.run('given', () => manager.addService('typed', new Typed()))
  const binder = (await client.getService('typed')) as api.IBinder
  const proxy = ITyped.asInterface(binder)
  t.equal(await als.run('caller', () => proxy.get('read in')), 'read in given caller')
  ;(binder as unknown as Disposable)[Symbol.dispose]()
})

t.test('a value that is not a callback is refused where it is given', (t) => {
  using value = new OwnedValue()
  using store = new OwnedStore({ capacity: 1 << 20, maxKeys: 64 })
  for (const owner of [value, store]) {
    t.throws(() => Object.assign(owner, { onChange: 'text' }), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^(Owned(Value|Store)\.onChange: )?onChange must/, // V8 alone does not know whose it is
    })
    owner.onChange = () => undefined
    owner.onChange = null
    t.equal(owner.onChange, null)
  }
  t.end()
})
