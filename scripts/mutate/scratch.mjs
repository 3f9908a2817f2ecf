/**
 * Makes a built copy of the working tree, in which mutants are tried. The tree itself is only read, so it stays intact even if
 * this is interrupted. The copy has a node_modules of links; those to the packages of the workspace lead into the copy.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { listPackages } from '../lib/workspace.mjs'

const PREFIX = 'memsvc-mutate-'
const BUILT = ['dist', 'build']

/** @returns the path of the copy. Sockets of tests lie in its `t`, so it is short; other users may enter it, as tests need. */
export function makeScratch(root) {
  removeLeftOvers()
  const scratch = mkdtempSync(join(realpathSync(tmpdir()), `${PREFIX}${process.pid}-`))
  chmodSync(scratch, 0o755)
  for (const file of trackedFiles(root)) copy(root, scratch, file)
  for (const { folder } of listPackages(root)) for (const name of BUILT) copy(root, scratch, `${folder}/${name}`)
  linkModules(join(root, 'node_modules'), join(scratch, 'node_modules'))
  mkdirSync(join(scratch, 't'))
  chmodSync(join(scratch, 't'), 0o1777)
  return scratch
}

export function removeScratch(scratch) {
  rmSync(scratch, { recursive: true, force: true })
}

/** Of runs that were killed. */
function removeLeftOvers() {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-')[0] : ''
    if (pid !== '' && !existsSync(`/proc/${pid}`)) removeScratch(join(tmpdir(), name))
  }
}

/** Those of the tree as it is, also where they are not committed. */
function trackedFiles(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout, status, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`)
  return stdout.split('\0').filter((file) => file !== '')
}

/** With its times: what was built stays newer than what it was built of. */
function copy(root, scratch, path) {
  if (!existsSync(join(root, path))) return
  mkdirSync(join(scratch, dirname(path)), { recursive: true })
  cpSync(join(root, path), join(scratch, path), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
}

function linkModules(from, to) {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    const path = join(from, name)
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(to, name))
    else if (name.startsWith('@') || name === '.bin') linkModules(path, join(to, name))
    else symlinkSync(path, join(to, name))
  }
}
