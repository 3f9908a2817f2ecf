/** Three "machines" on one: each has a node of etcd, a registry, a replicator, and cables of its own to all three nodes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { layCable } from './cable.mjs'

const PACKAGES = new URL('../../packages/', import.meta.url)
const MEMSVC = fileURLToPath(new URL('memory-service/bin/memsvc.js', PACKAGES))
const MEMCLIENT = fileURLToPath(new URL('client-cli/bin/memclient.cjs', PACKAGES))
/** A machine that has much else to do is slow. */
const PATIENCE_S = '60'
/** Of these keys there are values with names of their own. */
const VALUES = ['limits.rps']

/** @returns the machines, and what ends all of it */
export async function startMachines(count = 3) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-cluster-'))
  const children = []
  const end = () => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', end)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit())
  const start = (command, args, options) => {
    const child = spawn(command, args, options)
    children.push(child)
    return child
  }
  const nodes = await startNodes(count, folder, start)
  const machines = await Promise.all(
    nodes.map(async (_, i) => startMachine({ name: `machine-${i + 1}`, nodes, first: i, folder, start })),
  )
  return { machines, end }
}

async function startNodes(count, folder, start) {
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      name: `n${i}`,
      client: await freePort(),
      peer: await freePort(),
    })),
  )
  const peers = nodes.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',')
  for (const { name, client, peer } of nodes) {
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
    const args = {
      name: name,
      'data-dir': join(folder, name),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': peers,
      'auto-compaction-retention': '8h',
      'log-level': 'fatal',
      logger: 'zap',
    }
    const etcd = start(
      'etcd',
      Object.entries(args).map(([key, value]) => `--${key}=${value}`),
      { stdio: 'ignore' },
    )
    etcd.once('error', () => {
      console.error('there is no etcd here: apt-get install etcd-server')
      process.exit(1)
    })
  }
  return nodes
}

async function startMachine({ name, nodes, first, folder, start }) {
  const home = join(folder, name)
  mkdirSync(home, { mode: 0o700 })
  const env = { ...process.env, MEMSVC_REGISTRY: join(home, 'registry.sock') }
  const near = [...nodes.slice(first), ...nodes.slice(0, first)]
  const cables = await Promise.all(near.map(({ client }) => layCable(client)))
  const memsvc = (...args) => start(process.execPath, [MEMSVC, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  await untilReady(memsvc('start'))
  const endpoints = cables.map(({ url }) => url)
  const options = ['--machine', name, '--value', ...VALUES, '--endpoint', ...endpoints]
  await untilReady(memsvc('replicate', ...options))
  return {
    name,
    registry: env.MEMSVC_REGISTRY,
    pull: () => {
      for (const cable of cables) cable.pull()
    },
    plugIn: async () => {
      for (const cable of cables) await cable.plugIn()
    },
    /** @returns what it says, and its exit code */
    memclient: async (...args) => {
      const child = start(process.execPath, [MEMCLIENT, ...args, '--timeout', PATIENCE_S], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let text = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (piece) => {
          text += piece
        })
      }
      const [code] = await once(child, 'close')
      return { text: text.trimEnd(), code }
    },
  }
}

async function untilReady(child) {
  for await (const line of createInterface(child.stderr)) if (line.includes('"ready"')) break
  child.stderr.resume()
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
