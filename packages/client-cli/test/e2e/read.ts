/** `memclient read`: the value comes from the mapping, and nothing is loaded that it does not need. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { MemoryFile } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMCLIENT, memclient, OPEN_DIRECTORY, startMemsvc } from '../../test-support/commands.ts'
import { never, publish } from '../../test-support/odd-service.ts'

watchdog(t)
leakChecked(t)

t.test('the value is 0 at first', async (t) => {
  const { registry } = await startMemsvc(t)
  t.match(await memclient(registry, ['read']), { code: 0, stdout: '0', stderr: '' })
  t.match(await memclient(registry, ['read', '--json']), {
    code: 0,
    stdout: '{"name":"AnonymousSharedMemory","value":0}',
    stderr: '',
  })
})

t.test('a service may have another name', async (t) => {
  const { registry } = await startMemsvc(t, { args: ['--name', 'a/b.c-d_E'] })
  t.match(await memclient(registry, ['read', 'a/b.c-d_E', '--json']), {
    code: 0,
    stdout: '{"name":"a/b.c-d_E","value":0}',
  })
  t.match(await memclient(registry, ['read']), {
    code: 3,
    stdout: '',
    stderr: /no service "AnonymousSharedMemory" at \//,
  })
})

t.test('names that cannot be are names of no service', async (t) => {
  const { registry } = await startMemsvc(t)
  for (const name of ['', 'a b', 'ü', '__proto__', 'x'.repeat(128), '\u001b[31m']) {
    t.match(await memclient(registry, ['read', name]), {
      code: 3,
      stdout: '',
      stderr: /^memclient: no service ".*" at /,
    })
  }
})

t.test('the value is not asked of the service: one that answers nothing but its descriptor is read', async (t) => {
  const { registry } = await startMemsvc(t)
  using file = new MemoryFile('own', 4)
  file.writeInt32BE(0, -2147483648)
  await publish(t, registry, 'own', { getFileDescriptor: () => file.shareReadOnly(), setValue: never })
  t.match(await memclient(registry, ['read', 'own']), { code: 0, stdout: '-2147483648' })
})

t.test('a region that others may write is read all the same', async (t) => {
  const { registry } = await startMemsvc(t)
  using file = new MemoryFile('own', 4)
  file.writeInt32BE(0, 7)
  await publish(t, registry, 'own', { getFileDescriptor: () => file.getParcelFileDescriptor() })
  t.match(await memclient(registry, ['read', 'own']), { code: 0, stdout: '7' })
})

t.test('another user reads where the socket lets him in', { skip: otherUserProblem(MEMCLIENT) }, async (t) => {
  const { registry } = await startMemsvc(t, {
    args: ['--socket-mode', '666'],
    registry: newRegistryPath(t, OPEN_DIRECTORY),
  })
  t.match(await memclient(registry, ['read'], { uid: OTHER_UID }), { code: 0, stdout: '0', stderr: '' })
})

t.test('another user is told where it does not', { skip: otherUserProblem(MEMCLIENT) }, async (t) => {
  const { registry } = await startMemsvc(t, { registry: newRegistryPath(t, OPEN_DIRECTORY) })
  t.match(await memclient(registry, ['read'], { uid: OTHER_UID }), {
    code: 4,
    stdout: '',
    stderr: /closed to this user/,
  })
})

t.test('one file is loaded, and no commander', async (t) => {
  const { registry } = await startMemsvc(t)
  const loaded = await loadedFiles(t, registry, ['read', '--registry', registry, '--json'])
  t.strictSame(
    loaded.map((file) => basename(file)),
    ['memclient.js', 'memclient.cjs'],
  )
})

/** The scripts that a command loads, as V8 counts them. */
async function loadedFiles(t: Test, registry: string, args: string[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'memclient-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  await memclient(registry, args, { env: { NODE_V8_COVERAGE: directory } })
  const reports = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'))
  const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result)
  return urls.map(({ url }) => url).filter((url) => url.startsWith('file:'))
}
