/** Who may add, find and write, by a configuration file, as other users of the machine see it. All of it needs root. */
import { chmodSync } from 'node:fs'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const NAME = 'AnonymousSharedMemory'
const THIRD_UID = 65533
const GROUP = 4711

const skip = otherUserProblem(support.MEMSVC)

watchdog(t)
leakChecked(t)

async function startWith(t: Test, rules: object[], ...args: string[]) {
  const registry = newRegistryPath(t, 0o711)
  const file = new support.ConfigurationFile(t, { rules })
  await support.startMemsvc(t, { registry, args: ['--socket-mode', '666', '--config', file.path, ...args] })
  return { registry, file }
}

t.test('the rules say who may write a name, in addition to --writers', { skip }, async (t) => {
  const { registry } = await startWith(
    t,
    [
      { names: ['other'], write: ['*'] },
      { names: ['Anonymous*'], write: [THIRD_UID] },
    ],
    '--writers',
    '65532',
  )
  t.match(await support.callAs(OTHER_UID, registry, 'write', '1'), { code: 'ERR_SECURITY' })
  t.strictSame(await support.callAs(THIRD_UID, registry, 'write', '2'), { ok: null })
  t.strictSame(await support.callAs(65532, registry, 'write', '3'), { ok: null })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'read'), { ok: 3 })
})

t.test('a hidden name does not exist for that user, and does for everybody else', { skip }, async (t) => {
  const { registry } = await startWith(t, [{ names: [NAME], find: [THIRD_UID] }])
  t.strictSame(await support.callAs(THIRD_UID, registry, 'read'), { ok: 0 })
  t.match(await support.callAs(OTHER_UID, registry, 'read'), { code: 'ERR_SERVICE_NOT_FOUND' })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'find', NAME), { ok: false })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'info', NAME), { ok: null })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'list'), { ok: ['SharedStore'] })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'told', NAME), { ok: false })
  t.strictSame(await support.callAs(THIRD_UID, registry, 'told', NAME), { ok: true })
  t.match(await support.memsvc(registry, ['status'], { uid: OTHER_UID }), { code: 3 })
  t.match(await support.memsvc(registry, ['status'], { uid: THIRD_UID }), { code: 0 })
})

t.test('status tells another user only what that user could find out anyway', { skip }, async (t) => {
  const { registry } = await startWith(t, [])
  const [own, strange] = await Promise.all(
    [undefined, OTHER_UID].map((uid) => support.memsvc(registry, ['status', '--json'], { uid })),
  )
  const report = JSON.parse(strange?.stdout ?? '')
  t.strictSame(Object.keys(report).sort(), ['name', 'pid', 'regions', 'registry', 'uid', 'value'])
  t.strictSame(report.regions.map(Object.keys), [['seals', 'size']])
  t.match(JSON.parse(own?.stdout ?? ''), { ...report, host: true, used: { connections: Number } })
  t.match(await support.memsvc(registry, ['status'], { uid: OTHER_UID }), { code: 0, stdout: /^value: 0$/m })
})

t.test('a user may add only the names that the rules allow to that user', { skip }, async (t) => {
  const { registry } = await startWith(t, [{ names: ['other.*'], add: [OTHER_UID] }])
  t.strictSame(await support.callAs(OTHER_UID, registry, 'add', 'other.own'), { ok: null })
  t.match(await support.callAs(OTHER_UID, registry, 'add', 'others'), { code: 'ERR_SECURITY' })
  t.match(await support.callAs(THIRD_UID, registry, 'add', 'other.own'), { code: 'ERR_SECURITY' })
  t.match(await support.callAs(OTHER_UID, registry, 'add', NAME), { code: 'ERR_SECURITY' })
})

t.test("a group is known by the user's database, and by what the process runs with", { skip }, async (t) => {
  const { registry } = await startWith(t, [{ names: ['*'], find: [`@${GROUP}`], add: [`@${OTHER_UID}`] }])
  t.strictSame(await support.callInGroup(THIRD_UID, GROUP, registry, 'find', NAME), { ok: true })
  t.strictSame(await support.callInGroup(THIRD_UID, GROUP + 1, registry, 'find', NAME), { ok: false })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'add', 'any'), { ok: null })
  t.match(await support.callAs(THIRD_UID, registry, 'add', 'any'), { code: 'ERR_SECURITY' })
})

t.test('the own user and root are never kept out', { skip }, async (t) => {
  const { registry } = await startWith(t, [{ names: ['*'], add: [], find: [], write: [] }])
  const value = await support.openValue(t, registry)
  await value.set(7)
  t.match(await support.memsvc(registry, ['list']), { code: 0, stdout: new RegExp(NAME) })
})

t.test('other rules hold after a reload, and a client that is there stays', { skip }, async (t) => {
  const { registry, file } = await startWith(t, [{ names: [NAME], write: [OTHER_UID] }])
  const value = await support.openValue(t, registry)
  t.strictSame(await support.callAs(OTHER_UID, registry, 'write', '1'), { ok: null })
  file.write({ rules: [{ names: [NAME], write: [THIRD_UID], find: [THIRD_UID] }] })
  t.match(await support.callAs(THIRD_UID, registry, 'write', '2'), { code: 'ERR_SECURITY' }, 'not before')
  t.match(await support.memsvc(registry, ['reload']), { code: 0 })
  t.match(await support.callAs(OTHER_UID, registry, 'read'), { code: 'ERR_SERVICE_NOT_FOUND' })
  t.strictSame(await support.callAs(THIRD_UID, registry, 'write', '2'), { ok: null })
  t.equal(value.get(), 2)
  await value.set(3)
})

t.test('only the own user and root may reload', { skip }, async (t) => {
  const { registry } = await startWith(t, [])
  t.strictSame(await support.callAs(OTHER_UID, registry, 'reload'), {
    code: 'ERR_SECURITY',
    message: `uid ${OTHER_UID} may not reload this daemon`,
  })
  t.match(await support.memsvc(registry, ['reload'], { uid: OTHER_UID }), { code: 4, stdout: '' })
})

t.test("a home that the daemon's user may not enter is another's, and so is the file in it", { skip }, async (t) => {
  const home = t.testdir({ '.config': { memsvc: { 'memsvc.json': 'no JSON' } } })
  chmodSync(home, 0o700)
  const { registry } = await support.startMemsvcOfOtherUser(t, { env: { HOME: home } })
  t.equal((await support.openValue(t, registry)).get(), 0)
})
