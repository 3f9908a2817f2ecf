/**
 * A registry and a service that lie to memclient: it ends with a documented exit status and one line, whatever it was
 * given; no lie ends it by a signal (SIGBUS, SIGSEGV), and none is taken for a value.
 */
import { leakChecked, newRegistryPath, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { memclient, memsvc, startHostile } from '../../test-support/index.ts'

const VIOLATION = [1, 'the other side broke the protocol'] as const
const SHRINKS = [1, 'the region can shrink while it is mapped'] as const
const NO_REGION = [1, 'Not a memory file.'] as const

/** What memclient is answered, its exit status, and what it says. */
const LIES: Readonly<Record<string, readonly [code: number, line: string | RegExp]>> = {
  'the end of the connection': [1, 'the process that served this object is gone, or has closed the channel'],
  'an empty packet': VIOLATION,
  garbage: VIOLATION,
  'a packet over 64 KiB': VIOLATION,
  'another version': [3, 'no reason given'],
  'no room': [5, /the limit for .* is reached/],
  'a reply to another call': VIOLATION,
  'a reply of nothing': [3, /no service "AnonymousSharedMemory"/],
  'a service of no known kind': [1, 'a service of an unknown kind'],
  'a service without its channel': [1, 'the parcel has no descriptor at this position'],
  'a channel that is announced and does not come': VIOLATION,
  'a channel and one descriptor more': VIOLATION,
  'a channel that is a file': [1, 'the registry returned a channel that is not a socket'],
  'a channel that is a stream': [1, 'the process that served this object is gone, or has closed the channel'],
  'an exception of no known code': [1, /Unknown exception code: -99/],
  'an exception of many lines': [1, 'one two [31mthree'],
  'service: the end of the channel': [1, 'the process that served this object is gone, or has closed the channel'],
  'service: no region': [3, 'the service has no region'],
  'service: a reply of nothing': [3, 'the service has no region'],
  'service: security': [4, 'ERR_SECURITY'],
  'service: a region that is announced and does not come': VIOLATION,
  'service: a region and one descriptor more': VIOLATION,
  'service: a region without seals': SHRINKS,
  'service: a region that cannot be sealed': SHRINKS,
  'service: a region that may shrink': SHRINKS,
  'service: a region that is too short': [1, 'the region has 3 bytes, not 4'],
  'service: an empty region': [1, 'the region has 0 bytes, not 4'],
  'service: a pipe': NO_REGION,
  'service: a directory': NO_REGION,
  'service: a path': NO_REGION,
  'service: a device': NO_REGION,
  'service: a file': NO_REGION,
  'service: a file in memory': NO_REGION,
  'service: a socket': NO_REGION,
}

watchdog(t)
leakChecked(t)

async function startFalseDaemon(t: Test) {
  const registry = newRegistryPath(t)
  const tell = startHostile(t, ['serve', registry])
  return { registry, tell }
}

t.test('memclient is lied to', async (t) => {
  const { registry, tell } = await startFalseDaemon(t)
  for (const [lie, [code, line]] of Object.entries(LIES)) {
    t.test(lie, async (t) => {
      await tell(lie)
      const ending = await memclient(registry, ['read'])
      t.match(ending, { code, signal: null, stdout: '' })
      t.match(ending.stderr, line)
      t.equal(ending.stderr.split('\n').length, 1, 'in one line')
    })
  }
})

t.test('descriptors that nobody asked for are closed with the reply', async (t) => {
  const { registry, tell } = await startFalseDaemon(t)
  await tell('service: a region, and 250 descriptors that nobody asked for')
  t.match(await memclient(registry, ['read']), { code: 0, stdout: '0' })
})

t.test('the truth is read', async (t) => {
  const { registry, tell } = await startFalseDaemon(t)
  await tell('service: a truth')
  t.match(await memclient(registry, ['read']), { code: 0, stdout: '0', stderr: '' })
})

t.test('what memsvc is told by a registry is one line too', async (t) => {
  const { registry, tell } = await startFalseDaemon(t)
  await tell('an exception of many lines')
  t.match(await memsvc(registry, ['list']), { code: 1, stdout: '', stderr: 'memsvc: one two [31mthree' })
})
