/** A commit, checked out beside this one and built: a worktree in the bench's build folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Checkout } from './harness/field.ts'
import { buildFolder, repositoryFolder } from './harness/paths.ts'

const LOCK = 'package-lock.json'

/** @throws when there is no such revision, or it does not build */
export function checkOut(revision: string, log: (line: string) => void): Checkout {
  const hash = git('rev-parse', '--verify', `${revision}^{commit}`)
  const checkout = { label: `memsvc ${revision}`, root: `${buildFolder}/compare/${hash}` }
  remove(checkout)
  log(`${revision}: building ${hash.slice(0, 12)}`)
  git('worktree', 'add', '--detach', '--force', checkout.root, hash)
  installInto(checkout.root)
  run('npm', ['run', '--silent', 'build'], checkout.root)
  return checkout
}

/** Where there is none it does nothing. */
export function remove({ root }: Checkout): void {
  rmSync(root, { recursive: true, force: true })
  git('worktree', 'prune')
}

/** Hard links to what is installed here, if it is what the commit wants. Links between the packages are relative. */
function installInto(root: string): void {
  const isSame = readFileSync(`${root}/${LOCK}`, 'utf8') === readFileSync(`${repositoryFolder}${LOCK}`, 'utf8')
  if (isSame && existsSync(`${repositoryFolder}node_modules`)) {
    run('cp', ['-al', `${repositoryFolder}node_modules`, `${root}/node_modules`], root)
  } else {
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], root)
  }
}

function git(...args: string[]): string {
  return run('git', args, repositoryFolder).trim()
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
