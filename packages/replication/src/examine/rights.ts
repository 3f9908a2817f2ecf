/** Whether the user of this machine has the rights that it needs. It tries them without changing anything. */
import type { EngineError } from '../engine/engine.ts'
import { endOf, textOf } from '../etcd/numbers.ts'
import type { EtcdSession } from '../etcd/session.ts'
import { PULSE_KEY_BYTES } from '../replica/pulse-key.ts'
import { type ClusterFinding, ok, problem } from './finding.ts'
import type { ExaminedSettings } from './settings.ts'

/** No key has it: a condition that never holds. */
const NO_REVISION = String(2n ** 63n - 1n)

export async function examineRights(
  session: EtcdSession,
  settings: ExaminedSettings,
  timeoutMs: number,
): Promise<ClusterFinding[]> {
  const { credentials, mode } = settings
  const who = credentials === null ? 'without a user' : `as ${credentials.user}`
  const prefix = Buffer.from(settings.prefix)
  const range = { key: textOf(prefix), range_end: textOf(endOf(prefix)), limit: '1', keys_only: true }
  const reading = await attempt('right to read', who, {
    call: () => session.call('/v3/kv/range', range, timeoutMs),
    follows: 'the copy cannot be updated: it is refused, or empty',
    remedy: `etcdctl role grant-permission ROLE read --prefix=true ${settings.prefix}; check "user" and "passwordFile" of this machine`,
  })
  if (mode === 'read') return [reading]
  const key = textOf(Buffer.concat([prefix, PULSE_KEY_BYTES]))
  const never = { key, target: 'MOD', result: 'EQUAL', mod_revision: NO_REVISION }
  // etcd asks for the rights of both branches before it looks which one it is.
  const transaction = { compare: [never], success: [{ request_put: { key, value: '' } }] }
  const writing = await attempt('right to write', who, {
    call: () => session.call('/v3/kv/txn', transaction, timeoutMs),
    follows: 'this machine cannot change anything in the cluster',
    remedy: `etcdctl role grant-permission ROLE readwrite --prefix=true ${settings.prefix}; or set "mode": "read"`,
  })
  return [reading, writing]
}

async function attempt(
  name: string,
  who: string,
  { call, follows, remedy }: { call: () => Promise<unknown>; follows: string; remedy: string },
): Promise<ClusterFinding> {
  try {
    await call()
    return ok(name, who)
  } catch (error) {
    const { fault, message } = error as EngineError
    const isOther = fault !== 'denied'
    return problem(name, `${who}: ${message}`, {
      follows,
      remedy: isOther ? 'see the findings about the nodes above' : remedy,
    })
  }
}
