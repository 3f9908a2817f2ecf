/** What a consumer does with the library: memory, bytes of its own realm, a value, a store, a wait that a signal ends. */
export async function use(memsvc, registry) {
  const file = new memsvc.MemoryFile('consumer', 8)
  file.writeBytes(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), 0, 0, 8)
  const bytes = new Uint8Array(8)
  file.readBytes(bytes, 0, 0, 8)
  check(bytes[7] === 8, 'the bytes of a file')
  file.close()
  const manager = await memsvc.ServiceManager.connect({ path: registry })
  const value = await memsvc.SharedValue.open(manager)
  await value.set(value.get() + 1)
  check(value.get() > 0 && value.isLive, 'a value')
  const store = await memsvc.SharedStore.open(undefined, { manager })
  await store.set('key', { is: 'set' }, { ttlMs: 60_000 })
  await store.set('bytes', new Uint8Array([7]))
  check(store.get('key').is === 'set' && store.get('bytes')[0] === 7, 'a store')
  if (typeof AbortController === 'function') await checkAbort(memsvc, manager)
  for (const each of [store, value, manager]) each.close()
  return 'used'
}

async function checkAbort(memsvc, manager) {
  const aborter = new AbortController()
  const waiting = manager.waitForService('nobody', { signal: aborter.signal })
  aborter.abort()
  const error = await waiting.catch((reason) => reason)
  check(memsvc.errorCode(error) === 'ABORT_ERR', `a wait that was aborted: ${error}`)
}

function check(isTrue, what) {
  if (!isTrue) throw new Error(`not as it should be: ${what}`)
}
