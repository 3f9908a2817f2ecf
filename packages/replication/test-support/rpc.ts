/** Calls that can go by gRPC, for tests. */
import type { Test } from 'tap'
import { type Answer, NODE_LIMITS, Nodes } from '../src/etcd/nodes.ts'

/** By the gateway it asks /gateway. */
export const call = {
  path: '/gateway',
  body: () => '{}',
  headers: { authorization: 'token' },
  rpc: { path: '/a.B/C', message: () => Buffer.from('asked') },
}

export function nodesAt(t: Test, endpoint: string, own = {}): Nodes {
  const nodes = new Nodes({ endpoints: [endpoint], tls: {}, limits: { ...NODE_LIMITS, ...own } })
  t.teardown(() => nodes.close())
  return nodes
}

/** Until one goes by gRPC: those before are sent by the gateway, while the connection is opened. */
export async function untilByRpc(nodes: Nodes, ask: () => Promise<Answer> = () => nodes.call(call)): Promise<Answer> {
  for (;;) {
    const answer = await ask().catch(() => null)
    if (answer?.message !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
