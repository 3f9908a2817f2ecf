/**
 * A service of the library with 200 descriptors, and one foreign user who takes all that it gives: another user is served
 * all the same, and the service has lost neither its name nor its connection. The ways: test-support/fixtures/hostile/greed.py.
 */

import * as harness from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMSVC, nodeFs, nodePath, nodeUrl, startHostile, startMemsvc } from '../../test-support/index.ts'

const ATTACKER = 65533
const INNOCENT = 65532
const NAME = 'hostile.service'
const SERVICE = nodeUrl.fileURLToPath(new URL('../../test-support/fixtures/library-service.js', import.meta.url))
const WAYS = ['silent', 'staying', 'wanting', 'halves', 'giving', 'binders', 'deaf', 'watching', 'notifying', 'loop']
const FILES = ['prlimit', '--nofile=200:200']

harness.watchdog(t)
harness.leakChecked(t)

const skip = harness.otherUserProblem(MEMSVC)

async function startService(t: Test, takes: string) {
  const registry = harness.newRegistryPath(t, 0o711)
  nodeFs.chownSync(nodePath.dirname(registry), harness.OTHER_UID, harness.OTHER_UID)
  await startMemsvc(t, { registry, uid: harness.OTHER_UID, args: ['--socket-mode', '666'] })
  const service = harness.startCommand([...FILES, process.execPath, SERVICE, registry, NAME, takes], {
    uid: harness.OTHER_UID,
  })
  t.teardown(() => service.destroy())
  t.equal(await service.stdout.next(), 'ready')
  return { registry, service }
}

for (const takes of ['', 'accepts-descriptors']) {
  t.test(`a service ${takes} is there for others`, { skip }, async (t) => {
    const { registry, service } = await startService(t, takes)
    const innocent = startHostile(t, ['attack', registry, NAME], INNOCENT)
    for (const way of WAYS) {
      await t.test(`while one user is ${way}`, async (t) => {
        const attacker = startHostile(t, ['attack', registry, NAME], ATTACKER)
        t.equal(await attacker(way), 'ok')
        for (let i = 0; i < 10; i++) t.equal(await innocent('innocent'), 'ok')
      })
    }
    t.equal(service.stderr.text, '')
  })
}

t.test('descriptors that come faster than it looks cost it no client of others', { skip }, async (t) => {
  const { registry, service } = await startService(t, 'accepts-descriptors')
  const attacker = startHostile(t, ['attack', registry, NAME], ATTACKER)
  const innocent = startHostile(t, ['attack', registry, NAME], INNOCENT)
  for (let round = 0; round < 5; round++) {
    t.equal(await attacker('some'), 'ok')
    t.equal(await attacker('live'), 'ok')
    service.kill('SIGSTOP')
    t.equal(await attacker('burst'), 'ok')
    t.equal(await innocent('some'), 'ok')
    service.kill('SIGCONT')
    t.equal(await innocent('live'), 'ok')
  }
  t.equal(service.stderr.text, '')
})

t.test('who is refused is told that it is a limit', { skip }, async (t) => {
  const { registry } = await startService(t, '')
  const attacker = startHostile(t, ['attack', registry, NAME], ATTACKER)
  const another = startHostile(t, ['attack', registry, NAME], ATTACKER)
  const innocent = startHostile(t, ['attack', registry, NAME], INNOCENT)
  t.equal(await attacker('staying'), 'ok')
  t.equal(await innocent('innocent'), 'ok', 'by then it has told those who came before: only so many are told at once')
  for (let i = 0; i < 20; i++) t.equal(await another('told'), 'ok')
  t.equal(await innocent('innocent'), 'ok')
})
