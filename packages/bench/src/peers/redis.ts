/** Redis over a Unix socket, without persistence: only the answering is measured. */
import { readdirSync } from 'node:fs'
import type { Place } from '../harness/benchmark.ts'
import { nodeProgram } from '../harness/field.ts'
import type { Peers } from '../harness/installed-peers.ts'
import type { Program } from '../harness/process.ts'

export const REDIS = ['redis', 'ioredis']

const OPTIONS = ['--port', '0', '--save', '', '--appendonly', 'no', '--daemonize', 'no']

export function redisServer(peers: Peers, { folder }: Place): Program {
  const server = redisProgram(peers, 'redis-server')
  const argv = [...server.argv, '--unixsocket', socketIn(folder), '--dir', folder, ...OPTIONS]
  return { ...server, argv, ready: /ready to accept connections/ }
}

/** `bytes`: the size of the value that is read. */
export function redisClient(peers: Peers, { folder }: Place, bytes = 4): Program {
  return nodeProgram('redis-client', peers.folder('ioredis'), socketIn(folder), bytes)
}

/** A program of the unpacked Debian packages, with the libraries that came with it. */
export function redisProgram(peers: Peers, name: string): Program {
  const root = `${peers.folder('redis')}/root/usr`
  const libraries = readdirSync(`${root}/lib`).filter((folder) => folder.endsWith('-linux-gnu'))
  return {
    argv: [`${root}/bin/${name}`],
    env: { LD_LIBRARY_PATH: libraries.map((folder) => `${root}/lib/${folder}`).join(':') },
  }
}

export function socketIn(folder: string): string {
  return `${folder}/redis.sock`
}
