/**
 * A start whose system calls fail, one at a time, as the kernel would have it: the daemon ends with the exit status of
 * docs/errors.md and one clear line, leaves nothing but the lock file, and the next one starts; or it can do without.
 */

import { newRegistryPath, type Program, startProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMSVC, nodeChildProcess, nodeFs, nodePath } from '../../test-support/index.ts'

const EXIT_FAILED = 1
const EXIT_NOT_PERMITTED = 4
const JOBS = 4

interface Fault {
  readonly call: string
  readonly error: string
  /** Which of the process' calls, from 1; with `+`: all from there on. */
  readonly when?: string
  /** Only calls that concern this file, where Node makes more of the same kind. */
  readonly file?: (registry: string) => string
  /** undefined: it starts all the same. */
  readonly exit?: number
  readonly line?: RegExp
}

const region = () => '/memfd:Ashmem'
const lock = (registry: string) => `${registry}.lock`
const itself = (registry: string) => registry

const FAULTS: readonly Fault[] = [
  { call: 'memfd_create', error: 'ENFILE', exit: EXIT_FAILED, line: /memfd_create: ENFILE/ },
  { call: 'memfd_create', error: 'ENOSYS', when: '1+', exit: EXIT_FAILED, line: /memfd_create: ENOSYS/ },
  { call: 'memfd_create', error: 'EINVAL' }, // an older kernel, without MFD_NOEXEC_SEAL
  { call: 'ftruncate', error: 'ENOMEM', file: region, exit: EXIT_FAILED, line: /ftruncate: ENOMEM/ },
  { call: 'fallocate', error: 'ENOSPC', exit: EXIT_FAILED, line: /fallocate: ENOSPC/ },
  { call: 'fallocate', error: 'ENOMEM', exit: EXIT_FAILED, line: /fallocate: ENOMEM/ },
  { call: 'mmap', error: 'ENOMEM', file: region, exit: EXIT_FAILED, line: /mmap: ENOMEM/ },
  { call: 'fcntl', error: 'EPERM', file: region, when: '1', exit: EXIT_NOT_PERMITTED, line: /fcntl: EPERM/ },
  { call: 'fcntl', error: 'EPERM', file: region, when: '3', exit: EXIT_NOT_PERMITTED, line: /fcntl: EPERM/ },
  { call: 'fcntl', error: 'EBUSY', file: region, when: '5', exit: EXIT_FAILED, line: /fcntl: EBUSY/ },
  { call: 'fchmod', error: 'EIO', file: region, exit: EXIT_FAILED, line: /fchmod: EIO/ },
  { call: 'openat', error: 'EROFS', file: lock, exit: EXIT_FAILED, line: /EROFS.*\.lock/ },
  { call: 'openat', error: 'EACCES', file: lock, exit: EXIT_NOT_PERMITTED, line: /EACCES.*\.lock/ },
  { call: 'flock', error: 'ENOLCK', exit: EXIT_FAILED, line: /flock: ENOLCK, .*registry\.sock\.lock/ },
  { call: 'ftruncate', error: 'ENOSPC', file: lock, exit: EXIT_FAILED, line: /ENOSPC.*ftruncate/ },
  { call: 'socket', error: 'EMFILE', when: '1', exit: EXIT_FAILED, line: /socket: EMFILE/ },
  { call: 'socket', error: 'ENFILE', when: '2', exit: EXIT_FAILED, line: /socket: ENFILE/ },
  { call: 'socket', error: 'EMFILE', when: '3', exit: EXIT_FAILED, line: /socket: EMFILE/ },
  { call: 'bind', error: 'EACCES', exit: EXIT_NOT_PERMITTED, line: /bind: EACCES, .*registry\.sock/ },
  { call: 'bind', error: 'ENOSPC', exit: EXIT_FAILED, line: /bind: ENOSPC, .*registry\.sock/ },
  { call: 'chmod', error: 'EPERM', file: itself, exit: EXIT_NOT_PERMITTED, line: /EPERM.*registry\.sock/ },
  { call: 'listen', error: 'ENOMEM', exit: EXIT_FAILED, line: /listen: ENOMEM/ },
  { call: 'setsockopt', error: 'ENOPROTOOPT', when: '1+' }, // an older kernel, without SO_PASSRIGHTS
  { call: 'accept4', error: 'EMFILE' },
  { call: 'accept4', error: 'ECONNABORTED' },
  { call: 'connect', error: 'EAGAIN', when: '2' },
  { call: 'connect', error: 'ECONNREFUSED', when: '2' },
]

const canInject =
  nodeChildProcess.spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=bind:error=EIO', 'true']).status === 0

t.jobs = JOBS
watchdog(t)

/** Of the main thread, whose calls come in the same order at each start. */
function startWith(t: Test, registry: string, { call, error, when = '1', file }: Fault): Program {
  const concerned = file === undefined ? [] : ['-P', file(registry)]
  const inject = `inject=${call}:error=${error}:when=${when}`
  const prefix = ['strace', '-D', '-q', '-o', '/dev/null', '-e', `trace=${call}`, ...concerned, '-e', inject]
  return start(t, registry, prefix)
}

function start(t: Test, registry: string, prefix: string[]): Program {
  const program = startProgram(MEMSVC, ['start', '--registry', registry], { prefix })
  t.teardown(() => program.destroy())
  return program
}

async function becomesReady({ stderr }: Program): Promise<boolean> {
  return (await stderr.find((line) => line.includes('"msg":"ready"'))) !== null
}

function title({ call, error, when, file, exit }: Fault): string {
  const which = when === undefined ? '' : ` (${when})`
  const what = file === undefined ? '' : ` of ${file('the registry')}`
  return `${error} from ${call}${which}${what}: ${exit === undefined ? 'it starts' : `exit ${exit}`}`
}

for (const fault of FAULTS) {
  t.test(title(fault), { buffered: true, skip: canInject ? false : 'needs strace' }, async (t) => {
    const registry = newRegistryPath(t)
    const program = startWith(t, registry, fault)
    if (fault.exit === undefined) t.ok(await becomesReady(program), 'it starts')
    else await endsClearly(t, program, fault)
    if (fault.exit !== undefined) t.notOk(nodeFs.existsSync(registry), 'no socket is left')
    const left = nodeFs.readdirSync(nodePath.dirname(registry)).filter((name) => name !== 'registry.sock')
    t.ok(left.length <= 1, `nothing but the lock file is left: ${left}`)
    await program.destroy()
    t.ok(await becomesReady(start(t, registry, [])), 'the next one starts')
  })
}

async function endsClearly(t: Test, program: Program, { exit, line }: Fault): Promise<void> {
  const { code, stderr } = await program.ending
  t.equal(code, exit)
  const lines = stderr.split('\n').filter((each) => !each.startsWith('{'))
  t.match(lines.join('\n'), line)
  t.equal(lines.length, 1, 'one line says why')
}

t.test(
  'a folder that is read-only at the end: it ends regularly, and the next one starts',
  {
    skip: canInject ? false : 'needs strace',
  },
  async (t) => {
    const registry = newRegistryPath(t)
    const program = startWith(t, registry, { call: 'unlink', error: 'EROFS', when: '1+', file: itself })
    t.ok(await becomesReady(program))
    program.kill('SIGTERM')
    const { code, stderr } = await program.ending
    t.equal(code, 0)
    t.strictSame(
      stderr.split('\n').filter((line) => !line.startsWith('{')),
      [],
      'nothing but its log',
    )
    t.ok(nodeFs.existsSync(registry), 'the socket is left')
    t.ok(await becomesReady(start(t, registry, [])), 'the next one replaces it')
  },
)
