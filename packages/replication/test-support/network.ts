/**
 * A network namespace as a machine of its own, joined to this one by a cable that can be pulled: packets vanish, and nobody is told, neither by a
 * reset nor by a link that is down. Needs root. Addresses are of 198.18.0.0/15, which is for tests (RFC 2544).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { Teardown } from './etcd.ts'

/** Blocks of 8 addresses in 198.18.0.0/15. */
const BLOCKS = 2 ** 14
const BLOCK = 8
let made = 0

/** Why there can be none, for a test's `skip`. */
export function noNetworks(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces'
  const name = `memsvc-probe-${process.pid}`
  const added = spawnSync('ip', ['netns', 'add', name])
  spawnSync('ip', ['netns', 'delete', name])
  return added.status === 0 ? false : 'may not make network namespaces'
}

export class Network {
  /** Where this machine is reached from within. */
  readonly address: string
  /** Goes before a command, which runs within then. */
  readonly prefix: readonly string[]
  readonly #bridge: string
  readonly #cable: string

  private constructor(parts: { address: string; namespace: string; bridge: string; cable: string }) {
    this.address = parts.address
    this.prefix = ['ip', 'netns', 'exec', parts.namespace]
    this.#bridge = parts.bridge
    this.#cable = parts.cable
  }

  /** Gone with the test; whatever runs within must have ended by then. */
  static lay(t: Teardown): Network {
    const name = `ms${process.pid}n${made++}`
    const [namespace, bridge, cable, inside] = [name, `${name}b`, `${name}c`, `${name}i`]
    const [address, machine] = addresses()
    t.teardown(() => {
      spawnSync('ip', ['netns', 'delete', namespace])
      spawnSync('ip', ['link', 'delete', cable])
      spawnSync('ip', ['link', 'delete', bridge])
    })
    ip('link', 'add', bridge, 'type', 'bridge')
    ip('address', 'add', `${address}/29`, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
    ip('netns', 'add', namespace)
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', inside, 'netns', namespace)
    ip('link', 'set', cable, 'master', bridge, 'up')
    ip('-n', namespace, 'address', 'add', `${machine}/29`, 'dev', inside)
    ip('-n', namespace, 'link', 'set', inside, 'up')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    return new Network({ address, namespace, bridge, cable })
  }

  pull(): void {
    ip('link', 'set', this.#cable, 'nomaster')
  }

  plugIn(): void {
    ip('link', 'set', this.#cable, 'master', this.#bridge)
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

/** Of this side, and of the other. */
function addresses(): [string, string] {
  const first = randomInt(BLOCKS) * BLOCK
  const text = (offset: number) => {
    const at = first + offset
    return `198.${18 + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}`
  }
  return [text(1), text(2)]
}
