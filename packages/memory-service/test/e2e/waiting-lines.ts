/** Many who look for one service at once, and a service that does not take those who come. */
import { setTimeout as delay } from 'node:timers/promises'
import type { BinderProxy, IBinder } from '@memsvc/shared'
import { leakChecked, type Program, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { connect, openValue, startMemsvc, statusOf } from '../../test-support/index.ts'

/** More than a service's queue takes in the kernel (278 packets) and beyond (256 descriptors). */
const MANY = 1000

watchdog(t)
leakChecked(t)

function closeAll(found: readonly (IBinder | null)[]): void {
  for (const proxy of found) (proxy as BinderProxy | null)?.close()
}

/** A registry whose daemon goes on, and a service of another process that is stopped, with so many that look for it. */
async function startStopped(t: Test) {
  const { registry } = await startMemsvc(t)
  const { program } = await startMemsvc(t, { registry, args: ['--name', 'other'] })
  const value = await openValue(t, registry)
  const client = await connect(t, registry)
  program.kill('SIGSTOP')
  const searches = Promise.all(Array.from({ length: MANY }, () => client.getService('other')))
  while ((await statusOf(value)).used.pendingSearches === 0) await delay(1)
  return { registry, program, value, client, searches }
}

t.test(`${MANY} searches at once are all answered`, async (t) => {
  const { registry } = await startMemsvc(t)
  const client = await connect(t, registry)
  const found = await Promise.all(Array.from({ length: MANY }, () => client.getService('AnonymousSharedMemory')))
  t.ok(found.every((binder) => binder !== null))
  closeAll(found)
})

const ENDINGS: [title: string, end: (program: Program) => void][] = [
  ['goes on', (program) => program.kill('SIGCONT')],
  ['dies', (program) => program.kill('SIGKILL')],
]

for (const [title, end] of ENDINGS) {
  t.test(`searches for a service that is stopped wait until it ${title}; for others they do not`, async (t) => {
    const { registry, program, value, searches } = await startStopped(t)
    t.equal((await openValue(t, registry)).get(), 0, 'another service is found meanwhile')
    end(program)
    const found = await searches
    t.equal(found.filter((binder) => binder !== null).length > 0, true)
    if (title === 'goes on') t.ok(found.every((binder) => binder !== null))
    t.equal((await statusOf(value)).used.pendingSearches, 0)
    closeAll(found)
  })
}

t.test('the searches of a client that goes are forgotten', async (t) => {
  const { program, value, client, searches } = await startStopped(t)
  const settled = searches.catch((error: unknown) => error)
  client.close()
  t.match(await settled, { code: /ERR_CLOSED|ERR_DEAD_OBJECT/ })
  while ((await statusOf(value)).used.pendingSearches !== 0) await delay(1)
  program.kill('SIGCONT')
})
