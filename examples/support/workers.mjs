/** A server in several processes. */
import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** @returns the port they share, and how to end them */
export async function startWorkers(module, count, args = []) {
  cluster.setupPrimary({ exec: fileURLToPath(module), args })
  const workers = Array.from({ length: count }, () => cluster.fork())
  const [[address]] = await Promise.all(workers.map((worker) => once(worker, 'listening')))
  return { port: address.port, count, end: () => new Promise((resolve) => cluster.disconnect(resolve)) }
}
