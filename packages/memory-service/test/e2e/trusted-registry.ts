/** The way to the registry, and who runs it: what a stranger could change or serve is refused, by clients and daemons. */

import { ServiceManager } from '@memsvc/shared'
import * as harness from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

harness.watchdog(t)
harness.leakChecked(t)

const skip = harness.otherUserProblem(support.MEMSVC)
const OTHER = String(harness.OTHER_UID)

/** A daemon that goes by its environment. */
async function startIn(t: Test, env: Record<string, string>, uid?: number): Promise<void> {
  const program = harness.startProgram(support.MEMSVC, ['start', '--socket-mode', '666'], { env, uid })
  t.teardown(() => program.destroy())
  if ((await program.stderr.find((line) => line.includes('"msg":"ready"'))) === null)
    throw new Error(program.stderr.text)
}

t.test('a folder that everybody may write to is not gone through, at whatever depth', async (t) => {
  const top = support.nodePath.dirname(harness.newRegistryPath(t, 0o777))
  const env = { XDG_RUNTIME_DIR: top }
  const folder = support.nodePath.join(top, 'memsvc')
  t.match(await support.runMemsvc(['start'], { env }), {
    code: 4,
    stderr: `${top} can be written to by everybody (mode 0777)`,
  })
  t.notOk(support.nodeFs.existsSync(folder), 'nothing was made')
  support.nodeFs.mkdirSync(folder)
  for (const command of ['read', 'watch', 'list', 'info']) {
    t.match(await support.runMemclient([command], { env }), { code: 4, stdout: '', stderr: /is not trusted/ }, command)
  }
  t.match(await support.runMemsvc(['list'], { env }), { code: 4, stdout: '', stderr: `${top} can be written to` })
})

t.test('a registry that a stranger has put in the place of another is not read or written', { skip }, async (t) => {
  const top = support.nodePath.dirname(harness.newRegistryPath(t, 0o755))
  const env = { XDG_RUNTIME_DIR: top }
  await startIn(t, env)
  support.nodeFs.renameSync(support.nodePath.join(top, 'memsvc'), support.nodePath.join(top, 'x'))
  support.nodeFs.mkdirSync(support.nodePath.join(top, 'memsvc'), 0o755)
  support.nodeFs.chownSync(support.nodePath.join(top, 'memsvc'), harness.OTHER_UID, harness.OTHER_UID)
  support.nodeFs.chownSync(top, harness.OTHER_UID, harness.OTHER_UID)
  await startIn(t, env, harness.OTHER_UID)
  support.nodeFs.chownSync(top, 0, 0)
  for (const args of [['read'], ['write', '5'], ['watch'], ['list']]) {
    const { code, stdout, stderr } = await support.runMemclient(args, { env })
    t.strictSame({ code, stdout }, { code: 4, stdout: '' }, args.join(' '))
    t.match(
      stderr,
      `memsvc belongs to uid ${OTHER} (mode 0755): root is trusted; to trust that user add --registry-owner ${OTHER}`,
    )
  }
  t.match(await support.runMemclient(['read', '--registry-owner', OTHER], { env }), { code: 0, stdout: '0' })
})

t.test('the listener must belong to root, this user or the user that was named', { skip }, async (t) => {
  const registry = harness.newRegistryPath(t, 0o755)
  support.nodeFs.chownSync(support.nodePath.dirname(registry), harness.OTHER_UID, harness.OTHER_UID)
  const args = ['--socket-mode', '666']
  await support.startMemsvc(t, { registry, uid: harness.OTHER_UID, args })
  support.nodeFs.chownSync(support.nodePath.dirname(registry), 0, 0) // the way is root's, who is at its end is not
  const why = `the registry at ${registry} is run by uid ${OTHER}`
  for (const command of ['read', 'list', 'watch']) {
    t.match(
      await support.runMemclient([command, '--registry', registry]),
      { code: 4, stdout: '', stderr: why },
      command,
    )
  }
  t.match(await support.runMemsvc(['start', '--registry', registry, '--name', 'mine']), { code: 4, stderr: why })
  t.match(await support.runMemsvc(['stop', '--registry', registry]), { code: 4, stdout: '', stderr: why })
  await t.rejects(ServiceManager.connect({ path: registry }), { code: 'ERR_SECURITY' })
  await t.rejects(ServiceManager.connect({ path: registry, registryOwner: 4711 }), { code: 'ERR_SECURITY' })
  using manager = await ServiceManager.connect({ path: registry, registryOwner: harness.OTHER_UID })
  t.equal(manager.registryUid, harness.OTHER_UID)
  t.match(await support.runMemclient(['read', '--registry', registry, '--registry-owner', OTHER]), {
    code: 0,
    stdout: '0',
  })
})

t.test(
  "in a folder for everybody another user's lock or listener is refused, and that user is named",
  { skip },
  async (t) => {
    const THIRD = 65533
    for (const what of ['lock', 'socket']) {
      const registry = harness.newRegistryPath(t, 0o1777)
      if (what === 'socket') await support.startMemsvc(t, { registry, uid: THIRD, args: ['--socket-mode', '666'] })
      else
        support.nodeChildProcess.spawnSync('setpriv', [
          `--reuid=${THIRD}`,
          `--regid=${THIRD}`,
          '--clear-groups',
          'touch',
          `${registry}.lock`,
        ])
      const why = new RegExp(`registry.sock(.lock)? belongs to uid ${THIRD} \\(mode`)
      for (const uid of [undefined, harness.OTHER_UID]) {
        t.match(
          await support.runMemsvc(['start', '--registry', registry], { uid }),
          { code: 4, stderr: why },
          `${what}, uid ${uid}`,
        )
      }
    }
  },
)

t.test('root makes no registry in the folder of another user, unless that user is named', { skip }, async (t) => {
  const registry = harness.newRegistryPath(t)
  const runtime = support.nodePath.dirname(registry)
  support.nodeFs.chownSync(runtime, harness.OTHER_UID, harness.OTHER_UID)
  const env = { XDG_RUNTIME_DIR: runtime }
  t.match(await support.runMemsvc(['start'], { env }), { code: 4, stderr: `${runtime} belongs to uid ${OTHER}` })
  t.notOk(support.nodeFs.existsSync(support.nodePath.join(runtime, 'memsvc')))
  await startIn(t, env, harness.OTHER_UID)
  t.equal(support.nodeFs.statSync(support.nodePath.join(runtime, 'memsvc')).uid, harness.OTHER_UID)
})

t.test('a user whose lock file is left from root is told what to remove', { skip }, async (t) => {
  const registry = harness.newRegistryPath(t)
  support.nodeFs.chownSync(support.nodePath.dirname(registry), harness.OTHER_UID, harness.OTHER_UID)
  support.nodeFs.writeFileSync(`${registry}.lock`, '', { mode: 0o600 })
  const { code, stderr } = await support.runMemsvc(['start', '--registry', registry], { uid: harness.OTHER_UID })
  t.equal(code, 4)
  t.match(
    stderr,
    `${registry}.lock belongs to root, not to uid ${OTHER}, which starts this daemon: if no registry uses it any more, ask root to remove it`,
  )
})
