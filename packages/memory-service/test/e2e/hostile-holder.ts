/** The daemon's region in the hands of another process: whoever it is, it changes nothing, and the daemon goes on writing. */
import { readFileSync } from 'node:fs'
import { IMemoryService } from '@memsvc/shared'
import * as harness from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMSVC, openValue, startMemsvc, startMemsvcOfOtherUser, statusOf } from '../../test-support/index.ts'

/** The value whose four bytes are "kept". */
const KEPT = Buffer.from('kept').readInt32BE(0)

harness.watchdog(t)
harness.leakChecked(t)

for (const holder of harness.HOLDERS) {
  t.test(`${holder.title} with a descriptor of the daemon's changes nothing`, async (t) => {
    await changesNothing(t, await startMemsvc(t), holder)
  })
}

t.test(`${harness.OTHER_OWNER.title} changes nothing either`, { skip: harness.otherUserProblem(MEMSVC) }, async (t) => {
  await changesNothing(t, await startMemsvcOfOtherUser(t), harness.OTHER_OWNER)
})

async function changesNothing(t: Test, { registry }: harness.Daemon, holder: harness.Holder): Promise<void> {
  const value = await openValue(t, registry)
  await value.set(KEPT)
  const before = await statusOf(value)
  using descriptor = (await IMemoryService.asInterface(value.binder).getFileDescriptor()) ?? undefined
  if (descriptor === undefined) throw new Error('no descriptor')

  t.same(harness.attack(descriptor.getFd(), holder), {
    report: harness.expectedReport(holder, 'read-only'),
    contents: 'kept',
  })

  const after = await statusOf(value)
  t.same(after.regions, before.regions, 'seals and size')
  t.equal(after.value, KEPT)
  for (const next of [1, -2147483648, 2147483647]) {
    await value.set(next)
    t.equal(value.get(), next, 'the daemon goes on writing, and its readers reading')
  }
}

t.test('a holder can change only its own descriptor', async (t) => {
  const { registry } = await startMemsvc(t)
  const service = IMemoryService.asInterface((await openValue(t, registry)).binder)
  using mine = (await service.getFileDescriptor()) ?? undefined
  using other = (await service.getFileDescriptor()) ?? undefined
  if (mine === undefined || other === undefined) return t.fail('no descriptor')
  t.equal(mine.seekTo(3), 3)
  t.equal(offsetOf(other.getFd()), 0, 'each has an offset of its own')
})

/** proc_pid_fdinfo(5) */
function offsetOf(fd: number): number {
  return Number(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^pos:\s*(\d+)/)?.[1])
}
