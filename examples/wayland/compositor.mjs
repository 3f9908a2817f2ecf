/** A weston without a screen, for as long as this process runs. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectUnixStream } from 'memfd-native'

const NAME = 'memsvc-example'

/** Nothing moves: what is shown is all there is. */
const CONFIGURATION = '[shell]\nstartup-animation=none\nanimation=none\npanel-position=none\nlocking=false\n'

/** The first version that knows its renderers by name. */
const NAMED_RENDERERS = 12

/** @returns where it listens, and how to end it */
export async function startWeston(more = []) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-wayland-'))
  chmodSync(folder, 0o700)
  const env = { ...process.env, XDG_RUNTIME_DIR: folder }
  const config = join(folder, 'weston.ini')
  writeFileSync(config, CONFIGURATION)
  const weston = spawn('weston', [...optionsOf(env), `--config=${config}`, `--socket=${NAME}`, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  })
  const end = () => {
    weston.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', end)
  const path = join(folder, NAME)
  let log = ''
  weston.stderr.on('data', (text) => (log += text))
  const isOver = () => weston.exitCode !== null || weston.signalCode !== null
  while (!isListening(path) && !isOver()) await delay(20)
  if (isOver()) throw new Error(`weston has ended:\n${log}`)
  return { path, folder, end }
}

function optionsOf(env) {
  const [major] = /\d+/.exec(execFileSync('weston', ['--version'], { encoding: 'utf8', env })) ?? ['0']
  return Number(major) < NAMED_RENDERERS
    ? ['--backend=headless-backend.so', '--use-pixman', '--shell=desktop-shell.so']
    : ['--backend=headless', '--renderer=pixman', '--shell=desktop']
}

function isListening(path) {
  try {
    connectUnixStream(path).destroy()
    return true
  } catch (error) {
    if (!['ENOENT', 'ECONNREFUSED'].includes(error.code)) throw error
    return false
  }
}
