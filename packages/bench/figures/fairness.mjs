import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { newRegistryPath } from '@memsvc/shared/test-support'
import { bind, constants, FdWatcher, recvmsg, socket } from 'memfd-native'
import { CanaryProcess, startDaemon, valuesRead } from './lib/daemon.mjs'
import { milliseconds, ratio } from './lib/numbers.mjs'

export const TITLE = "one foreign uid's costliest packets: what another user waits meanwhile (needs root)"
/** Milliseconds for each kind of packet; `connections` 0: 8, 64 and 900; `kind` 0: all, otherwise the number of one, from 1. */
export const DEFAULTS = { milliseconds: 1500, connections: 0, kind: 0, processes: 2 }

const STRANGER = 1234
const SIZES = [8, 64, 900]
const MAX_MS = 250
const MAX_RATIO = 20
const WATCHDOG_MS = 2000
const OPEN_DIRECTORY = 0o711
const HOSTILE = fileURLToPath(new URL('../../memory-service/test-support/fixtures/hostile', import.meta.url))

export async function run(scope, options) {
  if (process.getuid() !== 0) throw new Error('needs root: it becomes another user')
  const registry = newRegistryPath(scope, OPEN_DIRECTORY)
  const watchdog = new Watchdog(scope, `${registry}.notify`)
  const env = { NOTIFY_SOCKET: `${registry}.notify`, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) }
  await startDaemon(scope, {}, { registry, env, args: ['--socket-mode', '666'] })
  const canary = new CanaryProcess(scope)
  await canary.start(registry)
  const base = await besideBurners(scope, canary, options)
  const rows = [
    { ...valuesRead(base.rounds), note: `beside ${options.processes} processes that only burn: ${base.text}` },
  ]
  for (const size of options.connections === 0 ? SIZES : [options.connections]) {
    rows.push(await besideFloods(scope, { canary, registry, base, size, ...options }))
  }
  rows.push({
    what: `WATCHDOG=1 within ${WATCHDOG_MS} ms`,
    attempted: watchdog.count,
    survived: watchdog.inTime,
    note: `the longest pause ${milliseconds(watchdog.longest)}`,
  })
  return rows
}

/** Between two of them, as systemd would measure it. */
class Watchdog {
  count = 0
  inTime = 0
  longest = 0
  #last = Number.NaN

  constructor(scope, path) {
    const listener = socket(constants.SOCK_DGRAM)
    bind(listener, path)
    chmodSync(path, 0o777)
    const watcher = new FdWatcher(listener, 'readable', () => {
      const { data, fds } = recvmsg(listener, 4096, 1)
      this.#hear({ lines: data.toString().split('\n'), fds })
    })
    scope.teardown(() => {
      watcher.close()
      listener.close()
    })
  }

  #hear({ lines, fds }) {
    for (const fd of fds) fd.close()
    if (lines.includes('WATCHDOG=1')) this.#note()
  }

  #note() {
    const now = performance.now()
    const pause = now - this.#last
    this.#last = now
    if (Number.isNaN(pause)) return
    this.count += 1
    if (pause <= WATCHDOG_MS) this.inTime += 1
    this.longest = Math.max(this.longest, pause)
  }
}

async function besideBurners(scope, canary, { processes, milliseconds: each }) {
  const burners = Array.from({ length: processes }, () => startPython(scope, ['-c', 'while True: pass']))
  await canary.forget()
  await pause(Math.max(5 * each, 5000))
  const seen = await canary.look()
  for (const { program } of burners) program.kill('SIGKILL')
  return seen
}

async function besideFloods(scope, { canary, registry, base, size, kind, processes, milliseconds: each }) {
  const flooders = Array.from({ length: processes }, (_, i) =>
    startPython(scope, ['-IB', HOSTILE, 'flood', registry, String(Math.floor((size + i) / processes))]),
  )
  const kinds = JSON.parse((await Promise.all(flooders.map(({ next }) => next())))[0])
  const chosen = kind === 0 ? kinds : [kinds[kind - 1]]
  const worst = { max: 0, p99: 0, byMax: '', byP99: '' }
  let survived = 0
  let packets = 0
  for (const line of chosen) {
    await Promise.all(flooders.map(({ ask }) => ask(`0\t${line}`))) // the channels are made before it is measured
    await canary.forget()
    const answers = await Promise.all(flooders.map(({ ask }) => ask(`${each / 1000}\t${line}`)))
    packets += answers.reduce((sum, answer) => sum + Number(answer), 0)
    const seen = await canary.look()
    if (seen.rounds > 0 && seen.max < MAX_MS && seen.p99 < MAX_RATIO * base.p99) survived += 1
    else console.error(`${size} connections, ${line.replace('\t', ': ')}: ${seen.text}`)
    if (!(seen.max <= worst.max)) Object.assign(worst, { max: seen.max, byMax: line.replace('\t', ': ') })
    if (!(seen.p99 <= worst.p99)) Object.assign(worst, { p99: seen.p99, byP99: line.replace('\t', ': ') })
  }
  for (const { program } of flooders) program.kill('SIGKILL')
  return {
    what: `kinds of packets by ${size} connections beside which nobody waits ${MAX_MS} ms, or ${MAX_RATIO} times as long`,
    attempted: chosen.length,
    survived,
    note:
      `${packets.toLocaleString('en-US')} packets; max ${milliseconds(worst.max)} (${worst.byMax}), ` +
      `p99 ${milliseconds(worst.p99)}, ${ratio(worst.p99, base.p99)} the other (${worst.byP99})`,
  }
}

function startPython(scope, args) {
  const program = spawn('python3', args, { uid: STRANGER, gid: STRANGER, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] })
  scope.teardown(() => program.kill('SIGKILL'))
  const lines = createInterface({ input: program.stdout })
  const next = async () => (await once(lines, 'line'))[0]
  const ask = (line) => {
    const answer = next()
    program.stdin.write(`${line}\n`)
    return answer
  }
  return { program, next, ask }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
