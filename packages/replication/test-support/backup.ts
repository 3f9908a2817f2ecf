/** Backups of a cluster, made and restored by etcdctl, as an operator does. */
import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { type EtcdCluster, type EtcdNode, NO_ETCD } from './etcd.ts'

const hasEtcdctl = spawnSync('etcdctl', ['version']).status === 0
if (!hasEtcdctl && process.env.CI !== undefined) throw new Error('CI has no etcdctl: apt-get install etcd-client')

/** For a test's `skip`. */
export const NO_ETCDCTL = NO_ETCD || (hasEtcdctl ? false : 'there is no etcdctl here: apt-get install etcd-client')

export function saveBackup({ nodes }: EtcdCluster, file: string): void {
  etcdctl('--endpoints', (nodes[0] as EtcdNode).direct, 'snapshot', 'save', file)
}

/** All nodes begin with it, under the same names: as far as anybody can see it is the same cluster. */
export async function restoreBackup(cluster: EtcdCluster, file: string): Promise<void> {
  for (const node of cluster.nodes) await node.kill()
  for (const node of cluster.nodes) {
    const kept = [
      '--name',
      '--data-dir',
      '--initial-cluster',
      '--initial-cluster-token',
      '--initial-advertise-peer-urls',
    ]
    const options = kept.flatMap((option) => [option, optionOf(node, option)])
    rmSync(optionOf(node, '--data-dir'), { recursive: true })
    etcdctl('snapshot', 'restore', file, ...options)
    node.start()
  }
  await cluster.ready()
}

function optionOf({ args }: EtcdNode, option: string): string {
  return args[args.indexOf(option) + 1] as string
}

function etcdctl(...args: string[]): void {
  execFileSync('etcdctl', args, { stdio: 'pipe', env: { ...process.env, ETCDCTL_API: '3' } })
}
