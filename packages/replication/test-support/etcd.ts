/** Real etcd nodes on loopback, in a folder in memory, ended by their pid; and a cable before each that can be pulled. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Cable } from './cable.ts'

/** Where the test's teardowns go: tap's, or a script's. */
export interface Teardown {
  teardown(end: () => void | Promise<void>): void
}

/** Whether there is an etcd; in CI there must be. */
function hasEtcd(): boolean {
  const found = spawnSync('etcd', ['--version']).status === 0
  if (!found && process.env.CI !== undefined) throw new Error('CI has no etcd: apt-get install etcd-server')
  return found
}

export const NO_ETCD = hasEtcd() ? false : 'there is no etcd here: apt-get install etcd-server'

export interface ClusterOptions {
  readonly nodes?: number
  readonly args?: readonly string[]
  /** Addresses of this machine besides 127.0.0.1, by which its nodes are reached as well. */
  readonly addresses?: readonly string[]
  /** Files, for a second address of each node that speaks TLS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
}

/** One node: its process, where it is reached, and the cable to there. */
export class EtcdNode {
  readonly name: string
  /** Without the cable. */
  readonly direct: string
  /** The same by TLS; empty: it has none. */
  readonly secure: string
  readonly cable: Cable
  /** Of its process. */
  readonly args: readonly string[]
  #process: ChildProcess | null = null

  constructor(parts: { name: string; direct: string; secure: string; cable: Cable; args: readonly string[] }) {
    this.name = parts.name
    this.direct = parts.direct
    this.secure = parts.secure
    this.cable = parts.cable
    this.args = parts.args
  }

  /** By another address of this machine. */
  urlAt(address: string): string {
    return `http://${address}:${new URL(this.direct).port}`
  }

  get url(): string {
    return `http://127.0.0.1:${this.cable.port}`
  }

  /** Of the process that runs. @throws Error there is none */
  get pid(): number {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error(`${this.name} does not run`)
    return pid
  }

  start(): void {
    this.#process = spawn('etcd', this.args, { stdio: 'ignore' })
  }

  /** kill -9, or another signal; SIGSTOP and SIGCONT leave it there. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return
    await new Promise((resolve) => child.once('exit', resolve)) // an event of a later turn
    this.#process = null
  }
}

export class EtcdCluster {
  readonly nodes: readonly EtcdNode[]

  constructor(nodes: readonly EtcdNode[]) {
    this.nodes = nodes
  }

  /** As a replication is told them, from a machine that is nearest to that node. */
  endpoints(first = 0): string[] {
    return this.nodes.map((_, i) => (this.nodes[(first + i) % this.nodes.length] as EtcdNode).url)
  }

  /** Cables of one machine's own, to all nodes. */
  async cables(t: Teardown, first = 0): Promise<MachineCables> {
    const made = await Promise.all(
      this.nodes.map((_, i) =>
        Cable.to(Number(new URL((this.nodes[(first + i) % this.nodes.length] as EtcdNode).direct).port)),
      ),
    )
    t.teardown(async () => {
      for (const cable of made) await cable.close()
    })
    return new MachineCables(made)
  }

  /** Asks one node directly, as another client of the cluster. @throws what it answers */
  async ask<T = Record<string, unknown>>(path: string, message: object, node = 0): Promise<T> {
    const response = await fetch(`${(this.nodes[node] as EtcdNode).direct}${path}`, {
      method: 'POST',
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return JSON.parse(text) as T
  }

  /** As ask, as one of its users. */
  async askAs(name: string, password: string, path: string, message: object): Promise<void> {
    const { token } = await this.ask<{ token: string }>('/v3/auth/authenticate', { name, password })
    const response = await fetch(`${(this.nodes[0] as EtcdNode).direct}${path}`, {
      method: 'POST',
      headers: { authorization: token },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(await response.text())
  }

  /** As ask, of any node that answers, for as long as it takes: on a machine that is busy a cluster has no leader now and then. */
  async askPatiently<T = Record<string, unknown>>(path: string, message: object): Promise<T> {
    for (let node = 0; ; node = (node + 1) % this.nodes.length) {
      try {
        return await this.ask<T>(path, message, node)
      } catch (error) {
        if (FINAL.test((error as Error).message)) throw error
        await delay(50)
      }
    }
  }

  /** Patiently. */
  async put(key: string, value: string | Buffer): Promise<bigint> {
    const answer = await this.askPatiently<Headed>('/v3/kv/put', { key: base64(key), value: base64(value) })
    return BigInt(answer.header.revision)
  }

  /** Patiently. */
  async delete(key: string): Promise<bigint> {
    const answer = await this.askPatiently<Headed>('/v3/kv/deleterange', { key: base64(key) })
    return BigInt(answer.header.revision)
  }

  /** Patiently; it may have been compacted before. */
  async compact(revision: bigint): Promise<void> {
    try {
      await this.askPatiently('/v3/kv/compaction', { revision: String(revision), physical: true })
    } catch (error) {
      if (!/compacted/.test((error as Error).message)) throw error
    }
  }

  /** From now on it asks who you are: root, or this user, who may do that under the prefix. */
  async allowOnly(name: string, password: string, permType: 'READ' | 'READWRITE', prefix: string): Promise<void> {
    const [key, range_end] = [base64(prefix), endOf(Buffer.from(prefix)).toString('base64')]
    await this.ask('/v3/auth/user/add', { name: 'root', password: 'r' })
    await this.ask('/v3/auth/role/add', { name: 'root' })
    await this.ask('/v3/auth/user/grant', { user: 'root', role: 'root' })
    await this.ask('/v3/auth/user/add', { name, password })
    await this.ask('/v3/auth/role/add', { name: 'ours' })
    await this.ask('/v3/auth/role/grant', { name: 'ours', perm: { permType, key, range_end } })
    await this.ask('/v3/auth/user/grant', { user: name, role: 'ours' })
    await this.ask('/v3/auth/enable', {})
  }

  /** All that the cluster agrees on under a prefix; an empty one: all. */
  async contents(prefix: string): Promise<Map<string, { value: Buffer; revision: bigint }>> {
    const end = endOf(Buffer.from(prefix))
    const answer = await this.askPatiently<Headed & { kvs?: { key: string; value?: string; mod_revision: string }[] }>(
      '/v3/kv/range',
      { key: prefix === '' ? 'AA==' : base64(prefix), range_end: end.toString('base64') },
    )
    const found = (answer.kvs ?? []).map(
      ({ key, value = '', mod_revision }) =>
        [
          Buffer.from(key, 'base64').toString().slice(prefix.length),
          { value: Buffer.from(value, 'base64'), revision: BigInt(mod_revision) },
        ] as const,
    )
    return new Map(found)
  }

  /** Resolves when the cluster agrees on something again. */
  async ready(): Promise<void> {
    await this.askPatiently('/v3/kv/range', { key: base64('x') })
  }

  /** Of the nodes, which one leads. */
  async leader(): Promise<number> {
    for (;;) {
      for (const [i] of this.nodes.entries()) {
        const answer = await this.ask<Headed & { leader?: string }>('/v3/maintenance/status', {}, i).catch(() => null)
        if (answer?.leader !== undefined && answer.leader === answer.header.member_id) return i
      }
      await delay(50)
    }
  }
}

/** What joins one machine to the cluster: pulled and plugged in together. */
export class MachineCables {
  readonly cables: readonly Cable[]

  constructor(cables: readonly Cable[]) {
    this.cables = cables
  }

  get endpoints(): string[] {
    return this.cables.map(({ port }) => `http://127.0.0.1:${port}`)
  }

  pull(): void {
    for (const cable of this.cables) cable.pull()
  }

  plugIn(): void {
    for (const cable of this.cables) cable.plugIn()
  }

  cutOff(): void {
    for (const cable of this.cables) cable.cutOff()
  }

  /** To the nodes of another cluster, from now on. */
  retarget({ nodes }: EtcdCluster): void {
    for (const [i, cable] of this.cables.entries()) cable.retarget(Number(new URL((nodes[i] as EtcdNode).direct).port))
  }
}

/** What an engine says again if it is asked again. */
const FINAL = /auth|permission|compacted|space exceeded|too large/

interface Headed {
  readonly header: { readonly revision: string; readonly member_id: string }
}

/** Started, and ended with the test. */
export async function startCluster(
  t: Teardown,
  { nodes = 1, args = [], addresses = [], tls }: ClusterOptions = {},
): Promise<EtcdCluster> {
  const folder = mkdtempSync(join(inMemory(), 'memsvc-etcd-'))
  const token = randomBytes(8).toString('hex')
  const places = await Promise.all(
    Array.from({ length: nodes }, async () => [await freePort(), await freePort(), await freePort()]),
  )
  const peers = places.map(([, peer], i) => `n${i}=http://127.0.0.1:${peer}`).join(',')
  const made = await Promise.all(
    places.map(async ([client, peer, secured], i) => {
      const [direct, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
      const secure = tls === undefined ? '' : `https://127.0.0.1:${secured}`
      const beside = addresses.map((address) => `http://${address}:${client}`)
      const clients = [direct, secure, ...beside].filter((url) => url !== '').join(',')
      return new EtcdNode({
        name: `n${i}`,
        direct,
        secure,
        cable: await Cable.to(client as number),
        args: [
          ...['--name', `n${i}`, '--data-dir', join(folder, `n${i}`), '--log-level', 'fatal', '--logger', 'zap'],
          ...['--listen-client-urls', clients, '--advertise-client-urls', direct],
          ...(tls === undefined ? [] : ['--cert-file', tls.certFile, '--key-file', tls.keyFile]),
          ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
          ...['--initial-cluster', peers, '--initial-cluster-token', token, '--initial-cluster-state', 'new'],
          ...args,
        ],
      })
    }),
  )
  const cluster = new EtcdCluster(made)
  t.teardown(async () => {
    for (const node of made) {
      await node.kill('SIGCONT')
      await node.kill()
      await node.cable.close()
    }
    rmSync(folder, { recursive: true, force: true })
  })
  for (const node of made) node.start()
  await cluster.ready()
  return cluster
}

/** The key after all that begin so. */
function endOf(prefix: Buffer): Buffer {
  if (prefix.length === 0) return Buffer.of(0)
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end.at(-1) as number) + 1
  return end
}

export function base64(text: string | Buffer): string {
  return Buffer.from(text as string).toString('base64')
}

function inMemory(): string {
  return spawnSync('test', ['-w', '/dev/shm']).status === 0 ? '/dev/shm' : tmpdir()
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
