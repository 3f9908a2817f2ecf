/**
 * Whether a daemon has survived. The same questions after whatever was done to it: it answers old clients and new ones,
 * holds what it held before, has charged what it had charged, has told its log little and nothing bad; and a client that
 * was there all the while has seen no error and no wrong value.
 */
import { ServiceManager, SharedValue } from '@memsvc/shared'
import { Canary, type Daemon, OTHER_UID } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { DAEMON_LIMITS } from '../src/quota/limits.ts'
import { type Status, warnings } from './memsvc.ts'
import { openValue, statusOf } from './value.ts'

/** For the daemon to hear of the end of those that are gone. */
const SETTLING_MS = 10_000
/** About the attacker, about nobody in particular, and how many were left out. */
const MAX_LOG_LINES = 2 * DAEMON_LIMITS.logLinesOfUser.limit + 1
const ERROR = 50

type Holdings = Pick<Status, 'pid' | 'fds' | 'mappings' | 'used' | 'regions'> & {
  /** Not what they have allocated: that stays, for the next values. */
  readonly stores: readonly Pick<Status['stores'][number], 'keys' | 'valueBytes' | 'watchers' | 'used'>[]
}

export class Survival {
  readonly #daemon: Daemon
  readonly #canary: Canary
  /** What it held in the beginning, and must hold in the end. */
  readonly holdings: Holdings
  #warnings = 0

  private constructor(daemon: Daemon, canary: Canary, holdings: Holdings) {
    this.#daemon = daemon
    this.#canary = canary
    this.holdings = holdings
  }

  /** Looks at the daemon as it is now; what it holds now is what it must hold in the end. Goes with the test. */
  static async of(t: Test, daemon: Daemon): Promise<Survival> {
    const canary = new Canary(await openValue(t, daemon.registry))
    t.teardown(() => canary.stop())
    await canary.sing()
    return new Survival(daemon, canary, await restingHoldings(canary))
  }

  /** Fails the test if one who is not concerned is not served, while others hold what they have. */
  async checkMeanwhile(t: Test, { newClients = true } = {}): Promise<void> {
    await this.#canary.sing()
    t.strictSame(this.#canary.complaints, [], 'a client that was there saw nothing')
    if (newClients) await readAsNewClient(t, this.#daemon.registry)
  }

  /** Fails the test if the daemon has taken harm since the last look. */
  async check(t: Test): Promise<void> {
    await this.checkMeanwhile(t)
    t.strictSame(await this.#settledHoldings(), this.holdings, 'it holds what it held before')
    this.#checkLog(t)
  }

  /** It never comes back to what it was: the difference is what the test shows. */
  async #settledHoldings(): Promise<Holdings> {
    const deadline = performance.now() + SETTLING_MS
    for (;;) {
      const now = await holdings(this.#canary)
      if (isSame(now, this.holdings) || performance.now() > deadline) return now
    }
  }

  #checkLog(t: Test): void {
    const all = warnings(this.#daemon.program.stderr.text)
    const fresh = all.slice(this.#warnings)
    this.#warnings = all.length
    t.ok(fresh.length <= MAX_LOG_LINES, `${fresh.length} lines of log`, { fresh })
    t.strictSame(
      fresh.filter(({ level }) => level >= ERROR),
      [],
      'no errors in the log',
    )
  }
}

/** Without what is on its way at this moment: the canary reads whatever it is sent. */
async function restingHoldings(canary: Canary): Promise<Holdings> {
  for (;;) {
    const now = await holdings(canary)
    if (now.used.unreadDescriptors === 0) return now
  }
}

/** The process is the same one as long as its pid and its region are. */
async function holdings({ value }: Canary): Promise<Holdings> {
  const { pid, fds, mappings, used, regions, stores } = await statusOf(value)
  const held = stores.map(({ keys, valueBytes, watchers, used }) => ({ keys, valueBytes, watchers, used }))
  return { pid, fds, mappings, used, regions, stores: held }
}

async function readAsNewClient(t: Test, path: string): Promise<void> {
  using manager = await ServiceManager.connect({ path, registryOwner: OTHER_UID })
  using value = await SharedValue.open(manager)
  t.ok(Number.isInteger(value.get()), 'a new client is served')
}

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
