/** What systemd hands over at the start, handed over by this test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { leakChecked, Program, watchdog } from '@memsvc/shared/test-support'
import { constants, fstat, memfdCreate, type OwnedFd, socket } from 'memfd-native'
import t from 'tap'

const FIXTURE = fileURLToPath(new URL('../fixtures/show-inherited.js', import.meta.url))

watchdog(t)
leakChecked(t)

interface Shown {
  listener: number | null
  stored: { name: string; inode: number }[]
  open: number[]
  closeOnExec: boolean
  variables: string[]
}

async function handOver(fds: readonly OwnedFd[], env: NodeJS.ProcessEnv): Promise<Shown> {
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const, ...fds.map(({ fd }) => fd)]
  // By way of env(1), which tap adds nothing to.
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const child: ChildProcess = spawn('env', ['-i', ...variables, process.execPath, FIXTURE], { stdio })
  const { code, stdout, stderr } = await new Program(child).ending
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** The fixture takes itself for process 42. */
const FOR_US = { LISTEN_PID: '42' }
const inode = (fd: OwnedFd): number => fstat(fd).ino

t.test('the socket named memsvc is the listener, wherever it stands; others are closed', async (t) => {
  using other = socket(constants.SOCK_SEQPACKET)
  using ours = socket(constants.SOCK_SEQPACKET)
  const shown = await handOver([other, ours], { ...FOR_US, LISTEN_FDS: '2', LISTEN_FDNAMES: 'other:memsvc' })
  t.match(shown, { listener: inode(ours), stored: [], open: [inode(ours)] })
})

t.test('without names the first socket is the listener', async (t) => {
  using first = socket(constants.SOCK_SEQPACKET)
  using second = socket(constants.SOCK_SEQPACKET)
  const shown = await handOver([first, second], { ...FOR_US, LISTEN_FDS: '2' })
  t.match(shown, { listener: inode(first), open: [inode(first)] })
})

t.test('what is no socket was stored, under its name', async (t) => {
  using region = memfdCreate('region')
  using listener = socket(constants.SOCK_SEQPACKET)
  const shown = await handOver([region, listener], { ...FOR_US, LISTEN_FDS: '2', LISTEN_FDNAMES: 'Name@7:memsvc' })
  t.match(shown, { listener: inode(listener), stored: [{ name: 'Name@7', inode: inode(region) }] })
})

t.test('descriptors are CLOEXEC and the variables are gone, so no child gets either', async (t) => {
  using listener = socket(constants.SOCK_SEQPACKET)
  const shown = await handOver([listener], { ...FOR_US, LISTEN_FDS: '1', LISTEN_FDNAMES: 'memsvc' })
  t.match(shown, { closeOnExec: true, variables: [] })
})

const others: [string, NodeJS.ProcessEnv][] = [
  ['for another process', { LISTEN_PID: '43', LISTEN_FDS: '1' }],
  ['no descriptors', { LISTEN_PID: '42', LISTEN_FDS: '0' }],
  ['no number of them', { LISTEN_PID: '42', LISTEN_FDS: 'many' }],
  ['nothing at all', {}],
]
for (const [name, env] of others) {
  t.test(`${name}: nothing is taken, and nothing closed`, async (t) => {
    using bystander = socket(constants.SOCK_SEQPACKET)
    const shown = await handOver([bystander], env)
    t.match(shown, { listener: null, stored: [], open: [inode(bystander)], variables: [] })
  })
}
