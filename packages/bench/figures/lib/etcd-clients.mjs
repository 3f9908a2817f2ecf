/**
 * Ways to make a compare-and-set in etcd without a replicator: each puts a number over the one it has put before, and says how long that took, in
 * milliseconds. Two of them are what a program can use without more; etcd's own clients are compared where the environment says that they are there.
 */
import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { thisCheckout } from '../../dist/src/harness/field.js'

/** Of an installed npm package etcd3: its node_modules. */
const ETCD3 = process.env.MEMSVC_ETCD3
/** programs/etcd-client.go, compiled. */
const GO = process.env.MEMSVC_ETCD_GO
export const GO_CLIENT = 'clientv3 (Go)'

/** @returns by what it is called, a way */
export function etcdClients(scope, { endpoint, prefix, base64 }) {
  const place = { endpoint, prefix, base64 }
  return {
    'node:http': byNodeHttp(scope, place),
    undici: byUndici(scope, place),
    ...(ETCD3 === undefined ? {} : { 'etcd3 (npm)': byEtcd3(scope, place) }),
    ...(GO === undefined ? {} : { [GO_CLIENT]: byGo(scope, place) }),
  }
}

/** @param act does it, and resolves when it is done */
export function timed(act) {
  return async (i) => {
    const begin = performance.now()
    await act(i)
    return performance.now() - begin
  }
}

function byNodeHttp(scope, place) {
  const agent = new Agent({ keepAlive: true })
  scope.teardown(() => agent.destroy())
  return byGateway(place, 'http', (message) => ask(`${place.endpoint}/v3/kv/txn`, agent, message))
}

function byUndici(scope, place) {
  const { Pool } = load(`${thisCheckout.root}/packages/replication`, 'undici')
  const pool = new Pool(place.endpoint)
  scope.teardown(() => pool.destroy())
  const headers = { 'content-type': 'application/json' }
  return byGateway(place, 'undici', async (message) => {
    const { body } = await pool.request({ method: 'POST', path: '/v3/kv/txn', headers, body: JSON.stringify(message) })
    return body.json()
  })
}

/** As that folder has it. */
function load(folder, name) {
  return createRequire(`${folder}/`)(name)
}

function byGateway({ prefix, base64 }, name, send) {
  const key = base64(`${prefix}${name}`)
  let revision = '0'
  return timed(async (i) => {
    const { succeeded, header } = await send({
      compare: [{ key, target: 'MOD', result: 'EQUAL', mod_revision: revision }],
      success: [{ request_put: { key, value: base64(String(i)) } }],
    })
    if (succeeded !== true) throw new Error('nobody else has put it')
    revision = header.revision
  })
}

function ask(url, agent, message) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        text += part
      })
      answer.on('end', () => resolve(JSON.parse(text)))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(message))
  })
}

function byEtcd3(scope, { endpoint, prefix }) {
  const { Etcd3 } = load(ETCD3, 'etcd3')
  const client = new Etcd3({ hosts: endpoint })
  scope.teardown(() => client.close())
  const key = `${prefix}etcd3`
  let revision = '0'
  return timed(async (i) => {
    const put = client.put(key).value(String(i))
    const { succeeded, header } = await client.if(key, 'Mod', '==', revision).then(put).commit()
    if (!succeeded) throw new Error('nobody else has put it')
    revision = header.revision
  })
}

/** By its own clock. */
function byGo(scope, { endpoint, prefix }) {
  const child = spawn(GO, [new URL(endpoint).host, `${prefix}go`], { stdio: ['pipe', 'pipe', 'inherit'] })
  scope.teardown(() => child.stdin.end())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async (i) => {
    child.stdin.write(`${i}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error('the Go client has ended')
    return Number(value) / 1e6
  }
}
