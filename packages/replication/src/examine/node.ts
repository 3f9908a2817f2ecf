/** Examines one node of a cluster: its version, and how full it is. */
import type { NodeLimits, TlsOptions } from '../etcd/asking.ts'
import { Nodes } from '../etcd/nodes.ts'
import { longOf } from '../etcd/numbers.ts'
import { remedyFor } from './failures.ts'
import { type ClusterFinding, ok, problem, warning } from './finding.ts'

/** What a node has answered. */
export interface NodeReport {
  readonly endpoint: string
  readonly cluster: string
  readonly version: string
  /** Whether it knows one. */
  readonly hasLeader: boolean
  readonly usedBytes: number
  /** Null: it does not say. */
  readonly quotaBytes: number | null
}

interface StatusAnswer {
  readonly header?: { readonly cluster_id?: string }
  readonly version?: string
  readonly leader?: string
  readonly dbSize?: string
}

const MOST_OF_QUOTA = 0.8
const OLDEST = [3, 4] as const

/** @returns null for a node that does not answer; and what was found */
export async function examineNode(
  endpoint: string,
  { tls, limits }: { tls: TlsOptions; limits: NodeLimits },
): Promise<{ report: NodeReport | null; findings: ClusterFinding[] }> {
  const name = `node ${endpoint}`
  const nodes = new Nodes({ endpoints: [endpoint], tls, limits })
  try {
    const report = await ask(nodes, endpoint, limits.silenceMs)
    return { report, findings: judge(name, report) }
  } catch (error) {
    const finding = problem(name, (error as Error).message, {
      follows: 'this node is not used; if more than half of the nodes are away, nothing can be changed',
      remedy: remedyFor(error),
    })
    return { report: null, findings: [finding] }
  } finally {
    nodes.close()
  }
}

async function ask(nodes: Nodes, endpoint: string, timeoutMs: number): Promise<NodeReport> {
  const headers = {}
  const { status, text } = await nodes.call({ path: '/v3/maintenance/status', body: '{}', headers, timeoutMs })
  if (status !== 200) throw new Error(`${endpoint} answers ${status}: ${text.slice(0, 200).trim()}`)
  const { header, version = '', leader, dbSize } = JSON.parse(text) as StatusAnswer
  const metrics = await nodes.call({ method: 'GET', path: '/metrics', body: '', headers, timeoutMs }).catch(() => null)
  const [, quota] = /^etcd_server_quota_backend_bytes (\S+)$/m.exec(metrics?.text ?? '') ?? []
  return {
    endpoint,
    version,
    cluster: header?.cluster_id ?? '',
    hasLeader: longOf(leader) > 0n,
    usedBytes: Number(longOf(dbSize)),
    quotaBytes: Number(quota) > 0 ? Number(quota) : null,
  }
}

function judge(name: string, report: NodeReport): ClusterFinding[] {
  const { version, hasLeader, usedBytes, quotaBytes } = report
  const used = `${mib(usedBytes)} used${quotaBytes === null ? '' : ` of ${mib(quotaBytes)}`}`
  const found = `etcd ${version}, cluster ${report.cluster}, ${used}`
  if (!isNewEnough(version))
    return [
      problem(name, found, {
        follows: 'before 3.4, etcd lacks what a watch needs',
        remedy: 'install a newer etcd on all nodes',
      }),
    ]
  if (!hasLeader)
    return [
      problem(name, `${found}, no leader`, {
        follows: 'this node has lost the others: it neither reports nor accepts changes',
        remedy: 'find out why it does not reach the other nodes',
      }),
    ]
  if (quotaBytes !== null && usedBytes > quotaBytes * MOST_OF_QUOTA)
    return [
      warning(name, found, {
        follows: 'when the database is full, etcd refuses all changes, also the pulse',
        remedy: 'compact and defragment (etcdctl compact, defrag), or raise --quota-backend-bytes',
      }),
    ]
  return [ok(name, found)]
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
