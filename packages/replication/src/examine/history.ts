/**
 * How far the history of a cluster goes back. A machine that was away for longer must read everything again. etcd
 * stores no times, but the pulse is written about once a second, and etcd counts how often.
 */
import { EngineError } from '../engine/engine.ts'
import { longOf, textOf } from '../etcd/numbers.ts'
import type { EtcdSession } from '../etcd/session.ts'
import { PULSE_KEY_BYTES } from '../replica/pulse-key.ts'
import { type ClusterFinding, ok, warning } from './finding.ts'

/** Less is a warning. Seconds. */
const LEAST_S = 3600

interface Seen {
  readonly revision: bigint
  /** How often the pulse had been written by then; 0n if never. */
  readonly beats: bigint
}

export async function examineHistory(
  session: EtcdSession,
  prefix: string,
  timeoutMs: number,
): Promise<ClusterFinding[]> {
  const name = 'history'
  const key = textOf(Buffer.concat([Buffer.from(prefix), PULSE_KEY_BYTES]))
  try {
    const look = (revision: bigint | null) => lookAt(session, { key, revision, timeoutMs })
    const now = await look(null)
    if (now === null || now.revision < 2n) return [ok(name, 'nothing has been written yet')]
    const oldest = await findOldest(look, now.revision)
    const count = now.revision - oldest.revision + 1n
    if (oldest.revision <= 2n) return [ok(name, `complete, ${count} revisions`)]
    const seconds = now.beats - oldest.beats
    const found = `${count} revisions${oldest.beats > 0n ? `, the last ${duration(Number(seconds))} or so` : ''}`
    if (oldest.beats === 0n || seconds >= LEAST_S) return [ok(name, found)]
    const rest = {
      follows:
        'a machine that was away for longer must read all values again, and may show a deleted key until it has done so',
      remedy: 'keep a history of hours: --auto-compaction-mode periodic --auto-compaction-retention 8h',
    }
    return [warning(name, found, rest)]
  } catch {
    return [] // the rights say why
  }
}

/** A binary search: older revisions were compacted. */
async function findOldest(look: (revision: bigint) => Promise<Seen | null>, newest: bigint): Promise<Seen> {
  let [low, high] = [1n, newest]
  let found: Seen = { revision: newest, beats: 0n }
  while (low <= high) {
    const middle = (low + high) / 2n
    const seen = await look(middle)
    if (seen === null) low = middle + 1n
    else {
      found = { ...seen, revision: middle }
      high = middle - 1n
    }
  }
  return found
}

/** Null: it is no more. */
async function lookAt(
  session: EtcdSession,
  { key, revision, timeoutMs }: { key: string; revision: bigint | null; timeoutMs: number },
): Promise<Seen | null> {
  try {
    const at = revision === null ? {} : { revision: String(revision) }
    const answer = await session.call<{
      header?: { revision?: string }
      kvs?: readonly { version?: string }[]
    }>('/v3/kv/range', { key, ...at }, timeoutMs)
    return { revision: longOf(answer.header?.revision), beats: longOf(answer.kvs?.[0]?.version) }
  } catch (error) {
    if (error instanceof EngineError && error.fault === 'compacted') return null
    throw error
  }
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
