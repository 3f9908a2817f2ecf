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
      help: '1 for the current state of the copy, else 0.',
      samples: STATES.map((state) => ({
        labels: { store: status.name, state },
        value: state === status.state ? 1 : 0,
      })),
    },
    one(
      'age_seconds',
      'gauge',
      'How old the copy may be; +Inf if unknown.',
      (status.ageMs ?? Number.POSITIVE_INFINITY) / 1000,
    ),
    one(
      'applied_revision',
      'gauge',
      "The cluster's revision up to which the copy is complete.",
      Number(status.applied),
    ),
    one('keys', 'gauge', 'Keys in the copy.', status.keys),
    one('odd_keys', 'gauge', 'Keys of the cluster that a store cannot have.', status.oddKeys),
    one('sessions_total', 'counter', 'How often the replicator connected to the cluster.', status.sessions),
    one('full_reads_total', 'counter', 'How often all values were read.', status.fullReads),
    {
      name: 'memsvc_replica_changes_total',
      type: 'counter',
      help: 'Changes requested by clients of this machine, by result.',
      samples: ['done', 'conflicts', 'unknown', 'refused'].map((outcome) => ({
        labels: { store: status.name, outcome },
        value: status.changes[outcome] ?? 0,
      })),
    },
  ])
}
