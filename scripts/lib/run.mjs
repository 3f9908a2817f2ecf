/** Runs other programs from the root of the repository, and finds them. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { repositoryRoot } from './workspace.mjs'

/** Runs a program to its end, with our standard streams. True if it exited with 0. */
export function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { cwd: repositoryRoot, stdio: 'inherit', env })
  if (error) console.error(`${command}: ${error.message}`)
  return status === 0
}

/** As `run`, but shows what the program said only if it failed. */
export function runQuietly(command, args, { cwd = repositoryRoot, env = process.env } = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) console.error(error?.message ?? stdout + stderr)
  return status === 0
}

/** The path of a program that npm installed for the workspace. */
export function localBin(name) {
  return join(repositoryRoot, 'node_modules/.bin', name)
}

export function isOnPath(command) {
  return findOnPath(command) !== undefined
}

/** Its path; undefined if there is none. */
export function findOnPath(command) {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, command))
  return paths.find((path) => existsSync(path))
}
