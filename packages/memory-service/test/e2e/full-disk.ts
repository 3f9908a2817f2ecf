/**
 * A disk that is full or read-only while the host lives. It cannot make its socket anew then: it says so, once for each
 * reason, lives on, and listens again as soon as it can.
 */
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { leakChecked, newRegistryPath, type Program, startCommand, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { MEMCLIENT, startMemsvc, warnings } from '../../test-support/index.ts'

/** The folder, the lock file, the socket, and another file. */
const INODES = 4

watchdog(t)
leakChecked(t)

const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/tmp']).status === 0

t.test('the host outlives a full disk and a read-only one', { skip: !canMount && 'needs root to mount' }, async (t) => {
  const registry = newRegistryPath(t)
  const folder = dirname(registry)
  const mount = `mount -t tmpfs -o nr_inodes=${INODES},mode=700 none ${folder} && exec "$@"`
  const { program } = await startMemsvc(t, { registry, prefix: ['unshare', '-m', 'sh', '-c', mount, 'sh'] })
  const inside = ['nsenter', '-t', String(program.pid), '-m']
  const act = (command: string) => {
    const { status, stderr } = spawnSync(inside[0] as string, [...inside.slice(1), 'sh', '-c', command])
    t.equal(status, 0, `${command}: ${stderr}`)
  }
  const read = () => startCommand([...inside, process.execPath, MEMCLIENT, 'read', '--registry', registry]).ending
  t.match(await read(), { code: 0, stdout: '0' })

  act(`touch ${folder}/full && mv ${registry} ${folder}/gone`)
  await says(program, 'ENOSPC')
  act(`mount -t tmpfs -o ro none ${folder}`)
  await says(program, 'EROFS')
  act(`umount ${folder} && rm ${folder}/full`)
  await says(program, 'the path leads to this daemon again')

  t.match(await read(), { code: 0, stdout: '0' })
  const reasons = warnings(program.stderr.text).flatMap(({ reason }) => reason ?? [])
  t.match(reasons.slice(0, 2), [/bind: ENOSPC, .*registry\.sock/, /EROFS.*registry\.sock\.lock/])
  t.equal(new Set(reasons).size, 2)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
})

async function says(program: Program, text: string): Promise<void> {
  if ((await program.stderr.find((line) => line.includes(text))) === null) {
    throw new Error(`it ended without saying ${text}:\n${program.stderr.text}`)
  }
}
