/** Limits by their names: what a limit was called before, and how people read of it. */
import t from 'tap'
import { ofOnePeer } from '../../src/quota/shares.ts'
import { type ManagerOptions, ServiceManager } from '../../src/service-manager/service-manager.ts'
import { LimitError } from '../../src/util/errors.ts'

const FORMER_NAMES = {
  passed: 'unreadDescriptors',
  descriptors: 'heldDescriptors',
  blocks: 'heldBlocks',
  refused: 'turnedAway',
}

async function connectWith(resource: string): Promise<unknown> {
  return ServiceManager.connect({ limits: { [resource]: { total: 9 } } } as ManagerOptions)
}

for (const [former, name] of Object.entries(FORMER_NAMES)) {
  t.test(`the former limit ${former} is refused with its new name ${name}`, async (t) => {
    await t.rejects(connectWith(former), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: `limits has no "${former}": it is called ${name} now`,
    })
  })
}

for (const none of ['waiting', 'cores', 'toString']) {
  t.test(`a service has no limit ${none}, under no other name either`, async (t) => {
    await t.rejects(connectWith(none), { code: 'ERR_INVALID_ARG_VALUE', message: `limits has no "${none}"` })
  })
}

t.test('a message of a limit is in words, its resource is the name', async (t) => {
  const error = new LimitError(ofOnePeer('unreadDescriptors'), 128, 128)
  t.equal(error.message, 'the limit of 128 for unread descriptors of one peer is reached (128)')
  t.equal(error.resource, 'unreadDescriptors of one peer')
  t.match(new LimitError('time until HELLO', 1, 1).message, 'for time until HELLO is')
  t.match(new LimitError('KiB of SCM_MAX_FD', 1, 1).message, 'for KiB of SCM_MAX_FD is')
})
