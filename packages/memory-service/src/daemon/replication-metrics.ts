/** The numbers of a replication, for Prometheus. */

import type { ReplicationStatus } from '../replication/load.ts'
import { expose, type Family } from './exposition.ts'

const STATES = ['syncing', 'live', 'stale', 'refused'] as const

export function renderReplicationMetrics(status: ReplicationStatus): string {
  const one = (name: string, type: Family['type'], help: string, value: number): Family => ({
    name: `memsvc_replica_${name}`,
    type,
    help,
    samples: [{ labels: { store: status.name }, value }],
  })
  return expose([
    {
      name: 'memsvc_replica_state',
      type: 'gauge',
      help: '1 for the state that the copy is in',
      samples: STATES.map((state) => ({
        labels: { store: status.name, state },
        value: state === status.state ? 1 : 0,
      })),
    },
    one(
      'age_seconds',
      'gauge',
      'how old the copy may be; +Inf: nothing is known',
      (status.ageMs ?? Number.POSITIVE_INFINITY) / 1000,
    ),
    one('applied_revision', 'gauge', "the cluster's revision up to which the copy is complete", Number(status.applied)),
    one('keys', 'gauge', 'in the copy', status.keys),
    one('odd_keys', 'gauge', 'in the cluster, which no store can have', status.oddKeys),
    one('sessions_total', 'counter', 'how often the cluster was looked for anew', status.sessions),
    one('full_reads_total', 'counter', 'how often everything was read', status.fullReads),
    {
      name: 'memsvc_replica_changes_total',
      type: 'counter',
      help: 'that clients of this machine asked for, by what came of it',
      samples: ['done', 'conflicts', 'unknown', 'refused'].map((outcome) => ({
        labels: { store: status.name, outcome },
        value: status.changes[outcome] ?? 0,
      })),
    },
  ])
}
