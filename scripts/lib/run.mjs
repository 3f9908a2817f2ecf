/** Runs other programs from the root of the repository, and finds them. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
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

const TELL_EVERY_MS = 5000

/**
 * Runs a program, maybe beside others, and says every few seconds that it goes on.
 * @param title what is said to go on
 * @param options `isQuiet`: what the program says is shown only if it fails
 */
export async function runAtLength(
  title,
  command,
  args,
  { cwd = repositoryRoot, env = process.env, isQuiet = false } = {},
) {
  console.log(title)
  const begin = Date.now()
  const timer = setInterval(() => {
    console.log(`${title}: ${Math.round((Date.now() - begin) / 1000)} s`)
  }, TELL_EVERY_MS)
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', ...(isQuiet ? ['pipe', 'pipe'] : ['inherit', 'inherit'])],
  })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => said.push(bytes))
  try {
    const [status] = await once(child, 'close')
    if (status !== 0) console.error(Buffer.concat(said).toString())
    return status === 0
  } catch (error) {
    console.error(`${command}: ${error.message}`)
    return false
  } finally {
    clearInterval(timer)
  }
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
