/**
 * `memsvc doctor` for a cluster: its nodes, the network to them, the rights of this machine, and how far its history
 * goes back. It tries everything from this machine, with the settings of the replication, and changes nothing.
 */
import { NODE_LIMITS, Nodes } from '../etcd/nodes.ts'
import { EtcdSession } from '../etcd/session.ts'
import { type ClusterFinding, ok, problem, warning } from './finding.ts'
import { examineHistory } from './history.ts'
import { examineNode, type NodeReport } from './node.ts'
import { examineRights } from './rights.ts'
import type { ExaminedSettings } from './settings.ts'

/**
 * Examines a cluster for `memsvc doctor`: its nodes, TLS, rights, quota and history. It changes nothing.
 * @param limits how long each node may take
 * @returns the findings, in the order in which to read them
 */
export async function examineCluster(settings: ExaminedSettings, limits = NODE_LIMITS): Promise<ClusterFinding[]> {
  const { tls } = settings
  const examined = await Promise.all(settings.endpoints.map((endpoint) => examineNode(endpoint, { tls, limits })))
  const findings = [...examineWays(settings), ...examined.flatMap(({ findings }) => findings)]
  const reports = examined.flatMap(({ report }) => report ?? [])
  if (reports.length === 0) return findings
  const endpoints = reports.map(({ endpoint }) => endpoint)
  const nodes = new Nodes({ endpoints, tls, limits })
  try {
    const session = new EtcdSession(nodes, settings.credentials)
    return [
      ...findings,
      examineUnity(reports, settings.endpoints.length),
      ...(await examineAlarms(session, limits.silenceMs)),
      ...(await examineRights(session, settings, limits.silenceMs)),
      ...(await examineHistory(session, settings.prefix, limits.silenceMs)),
    ]
  } finally {
    nodes.close()
  }
}

/** What can be read on the way. */
function examineWays({ endpoints, credentials }: ExaminedSettings): ClusterFinding[] {
  const open = endpoints.filter((endpoint) => /^http:/.test(endpoint) && !isHere(new URL(endpoint).hostname))
  if (open.length === 0) return []
  const what = credentials === null ? 'the values' : "the values, and this machine's password"
  return [
    warning('encryption', `${open.join(', ')}: plain http to another machine`, {
      follows: `anybody on the network path can read and change ${what}`,
      remedy: 'use https:// and "ca", and give etcd certificates (--cert-file, --key-file, --trusted-ca-file)',
    }),
  ]
}

function isHere(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}

function examineUnity(reports: readonly NodeReport[], asked: number): ClusterFinding {
  const name = 'cluster'
  const clusters = new Set(reports.map(({ cluster }) => cluster))
  if (clusters.size > 1)
    return problem(name, `the endpoints belong to ${clusters.size} clusters`, {
      follows: 'each change of the node changes the cluster: all values are read again, and differ',
      remedy: 'name endpoints of one cluster only',
    })
  if (reports.length * 2 <= asked)
    return problem(name, `${reports.length} of ${asked} nodes answer`, {
      follows: 'they are not a majority: this machine can still read its copy, but nothing can be changed',
      remedy: 'see the findings about the nodes above',
    })
  return ok(name, `${[...clusters][0]}, ${reports.length} of ${asked} nodes answer`)
}

async function examineAlarms(session: EtcdSession, timeoutMs: number): Promise<ClusterFinding[]> {
  const name = 'alarms'
  try {
    const answer = await session.call<{ alarms?: readonly { alarm?: string }[] }>(
      '/v3/maintenance/alarm',
      { action: 'GET' },
      timeoutMs,
    )
    const raised = [...new Set((answer.alarms ?? []).map(({ alarm = '?' }) => alarm))]
    if (raised.length === 0) return [ok(name, 'none')]
    return [
      problem(name, raised.join(', '), {
        follows: 'etcd refuses all changes, also the pulse',
        remedy: 'for NOSPACE: etcdctl compact, defrag, alarm disarm; for CORRUPT: replace that member',
      }),
    ]
  } catch {
    return [] // not for everybody to ask
  }
}
