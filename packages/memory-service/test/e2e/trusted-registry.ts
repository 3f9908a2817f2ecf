/** The way to the registry, and who runs it: what a stranger could change or serve is refused, by clients and daemons. */
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ServiceManager } from '@memsvc/shared'
import {
  leakChecked,
  newRegistryPath,
  OTHER_UID,
  otherUserProblem,
  startProgram,
  watchdog,
} from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMSVC, runMemclient, runMemsvc, startMemsvc } from '../../test-support/memsvc.ts'

watchdog(t)
leakChecked(t)

const skip = otherUserProblem(MEMSVC)
const OTHER = String(OTHER_UID)

/** A daemon that goes by its environment. */
async function startIn(t: Test, env: Record<string, string>, uid?: number): Promise<void> {
  const program = startProgram(MEMSVC, ['start', '--socket-mode', '666'], { env, uid })
  t.teardown(() => program.destroy())
  if ((await program.stderr.find((line) => line.includes('"msg":"ready"'))) === null)
    throw new Error(program.stderr.text)
}

t.test('a folder that everybody may write to is not gone through, at whatever depth', async (t) => {
  const top = dirname(newRegistryPath(t, 0o777))
  const env = { XDG_RUNTIME_DIR: top }
  const folder = join(top, 'memsvc')
  t.match(await runMemsvc(['start'], { env }), { code: 4, stderr: `${top} can be written to by everybody (mode 0777)` })
  t.notOk(existsSync(folder), 'nothing was made')
  mkdirSync(folder)
  for (const command of ['read', 'watch', 'list', 'info']) {
    t.match(await runMemclient([command], { env }), { code: 4, stdout: '', stderr: /is not trusted/ }, command)
  }
  t.match(await runMemsvc(['list'], { env }), { code: 4, stdout: '', stderr: `${top} can be written to` })
})

t.test('a registry that a stranger has put in the place of another is not read or written', { skip }, async (t) => {
  const top = dirname(newRegistryPath(t, 0o755))
  const env = { XDG_RUNTIME_DIR: top }
  await startIn(t, env)
  renameSync(join(top, 'memsvc'), join(top, 'x'))
  mkdirSync(join(top, 'memsvc'), 0o755)
  chownSync(join(top, 'memsvc'), OTHER_UID, OTHER_UID)
  chownSync(top, OTHER_UID, OTHER_UID)
  await startIn(t, env, OTHER_UID)
  chownSync(top, 0, 0)
  for (const args of [['read'], ['write', '5'], ['watch'], ['list']]) {
    const { code, stdout, stderr } = await runMemclient(args, { env })
    t.strictSame({ code, stdout }, { code: 4, stdout: '' }, args.join(' '))
    t.match(
      stderr,
      `memsvc belongs to uid ${OTHER} (mode 0755): root is trusted; to trust that user add --registry-owner ${OTHER}`,
    )
  }
  t.match(await runMemclient(['read', '--registry-owner', OTHER], { env }), { code: 0, stdout: '0' })
})

t.test('whoever listens must be root, this user or the one who was named', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o755)
  chownSync(dirname(registry), OTHER_UID, OTHER_UID)
  const args = ['--socket-mode', '666']
  await startMemsvc(t, { registry, uid: OTHER_UID, args })
  chownSync(dirname(registry), 0, 0) // the way is root's, who is at its end is not
  const why = `the registry at ${registry} is run by uid ${OTHER}`
  for (const command of ['read', 'list', 'watch']) {
    t.match(await runMemclient([command, '--registry', registry]), { code: 4, stdout: '', stderr: why }, command)
  }
  t.match(await runMemsvc(['start', '--registry', registry, '--name', 'mine']), { code: 4, stderr: why })
  t.match(await runMemsvc(['stop', '--registry', registry]), { code: 4, stdout: '', stderr: why })
  await t.rejects(ServiceManager.connect({ path: registry }), { code: 'ERR_SECURITY' })
  await t.rejects(ServiceManager.connect({ path: registry, registryOwner: 4711 }), { code: 'ERR_SECURITY' })
  using manager = await ServiceManager.connect({ path: registry, registryOwner: OTHER_UID })
  t.equal(manager.registryUid, OTHER_UID)
  t.match(await runMemclient(['read', '--registry', registry, '--registry-owner', OTHER]), { code: 0, stdout: '0' })
})

t.test("in a folder for everybody a stranger's lock or listener is refused, and he is named", { skip }, async (t) => {
  const THIRD = 65533
  for (const what of ['lock', 'socket']) {
    const registry = newRegistryPath(t, 0o1777)
    if (what === 'socket') await startMemsvc(t, { registry, uid: THIRD, args: ['--socket-mode', '666'] })
    else spawnSync('setpriv', [`--reuid=${THIRD}`, `--regid=${THIRD}`, '--clear-groups', 'touch', `${registry}.lock`])
    const why = new RegExp(`registry.sock(.lock)? belongs to uid ${THIRD} \\(mode`)
    for (const uid of [undefined, OTHER_UID]) {
      t.match(
        await runMemsvc(['start', '--registry', registry], { uid }),
        { code: 4, stderr: why },
        `${what}, uid ${uid}`,
      )
    }
  }
})

t.test('root makes no registry in the folder of another user, unless he is named', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const runtime = dirname(registry)
  chownSync(runtime, OTHER_UID, OTHER_UID)
  const env = { XDG_RUNTIME_DIR: runtime }
  t.match(await runMemsvc(['start'], { env }), { code: 4, stderr: `${runtime} belongs to uid ${OTHER}` })
  t.notOk(existsSync(join(runtime, 'memsvc')))
  await startIn(t, env, OTHER_UID)
  t.equal(statSync(join(runtime, 'memsvc')).uid, OTHER_UID)
})

t.test('a user whose lock file is left from root is told what to remove', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  chownSync(dirname(registry), OTHER_UID, OTHER_UID)
  writeFileSync(`${registry}.lock`, '', { mode: 0o600 })
  const { code, stderr } = await runMemsvc(['start', '--registry', registry], { uid: OTHER_UID })
  t.equal(code, 4)
  t.match(
    stderr,
    `${registry}.lock belongs to root, not to uid ${OTHER} who starts: if it is a leftover, let root remove it`,
  )
})
