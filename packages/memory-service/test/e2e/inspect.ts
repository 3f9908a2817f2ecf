/** `memsvc inspect`: held against /proc by a program that is not ours. */
import { MemoryFile } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const { holdersByProc, holdersOf, inspect, MEMSVC, memsvc, nodeFs, startMemclient, startMemsvc } = support
const VALUE = 'AnonymousSharedMemory'
/** Of another user's processes root alone may see something. */
const skip = process.getuid?.() === 0 ? false : 'needs root to look into a daemon'

watchdog(t)
leakChecked(t)

/** Threads of the kernel are children of its process 2. */
function countProcesses(): { programs: number; kernelThreads: number } {
  const parents = nodeFs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(parentOf)
  const kernelThreads = parents.filter((parent) => parent === 2).length
  return { programs: parents.length - kernelThreads, kernelThreads }
}

/** NaN: it has gone. */
function parentOf(pid: string): number {
  try {
    return Number(/\) \S (\d+)/.exec(nodeFs.readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1])
  } catch {
    return Number.NaN
  }
}

t.test('each descriptor and mapping of the value is as /proc has it', { skip }, async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  await watcher.stdout.next()
  const value = await support.openValue(t, registry)
  const [found] = await inspect(registry, VALUE)
  if (found === undefined) return t.fail('nothing was found')
  t.strictSame(holdersOf(found), holdersByProc(found.inode))
  t.strictSame(
    found.processes.map(({ pid, source }) => [pid, source]).sort(),
    [program.pid, watcher.pid, process.pid].map((pid) => [pid, 'proc']).sort(),
  )
  t.match(found, { name: VALUE, size: 4, pages: 1, residentPages: 1 })
  t.same(new Set(found.sealNames), new Set([...found.sealNames, 'SEAL', 'SHRINK', 'GROW', 'FUTURE_WRITE']))
  t.equal(found.openFiles.length, 3, 'each has an open file of its own')
  const [owner] = found.processes.filter(({ pid }) => pid === program.pid)
  t.match(owner, { descriptors: [{ access: 'read-write' }], mappings: [{ permissions: 'rw-s', residentPages: 1 }] })
  t.equal(value.get(), 0)
  t.match(found.unseen.at(-1), /^descriptors that are still in a socket/)
  t.notOk(
    found.unseen.some((line) => /^0 |of all$/.test(line)),
    `${found.unseen}`,
  )
})

t.test('processes that come and go meanwhile are no trouble', { skip }, async (t) => {
  const { registry } = await startMemsvc(t)
  let isOver = false
  const others = Array.from({ length: 2 }, async () => {
    while (!isOver) {
      await new Promise((resolve) => support.nodeChildProcess.spawn('true', { stdio: 'ignore' }).on('exit', resolve))
      // Spawned straight from the end of the one before, they would leave the event loop no turn for anything else.
      await new Promise(setImmediate)
    }
  })
  for (let i = 0; i < 3; i++) t.match(await inspect(registry, VALUE), [{ name: VALUE, size: 4 }])
  isOver = true
  await Promise.all(others)
})

t.test('descriptors that share an open file are seen to, over processes', { skip }, async (t) => {
  const { registry } = await startMemsvc(t, { command: 'registry' })
  using file = new MemoryFile('shared', 4096)
  await support.publishRegion(t, { registry, name: 'region', file })
  const fd = file.getFileDescriptor().getInt()
  const child = support.nodeChildProcess.spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  t.teardown(() => child.kill('SIGKILL'))
  const [found] = await inspect(registry, 'region')
  if (found === undefined) return t.fail('nothing was found')
  t.strictSame(holdersOf(found), holdersByProc(found.inode))
  const descriptors = found.processes.flatMap((each) => each.descriptors)
  t.equal(descriptors.length, 2)
  t.equal(new Set(descriptors.map(({ openFile }) => openFile)).size, 1)
  t.match(found.openFiles, [{ id: 1, descriptors: 2, access: 'read-write' }])
})

t.test('a store is one region for each of its areas', { skip }, async (t) => {
  const rules = [{ keys: ['secret/*'], read: ['root'] }]
  const { path } = new support.ConfigurationFile(t, { stores: [{ name: 'SharedStore', rules }] })
  const { registry } = await startMemsvc(t, { args: ['--config', path] })
  const found = await inspect(registry, 'SharedStore')
  t.equal(found.length, 2)
  t.same(found.map(({ keys }) => keys?.includes('secret/*')).sort(), [false, true])
  for (const each of found) t.strictSame(holdersOf(each), holdersByProc(each.inode))
})

t.test(
  'the user of the daemon gets from the daemon what only the daemon may see',
  { skip: otherUserProblem(MEMSVC) },
  async (t) => {
    const { registry, program } = await support.startMemsvcOfOtherUser(t)
    const [seen] = await inspect(registry, VALUE, OTHER_UID)
    if (seen === undefined) return t.fail('nothing was found')
    const { descriptors, mappings } = holdersByProc(seen.inode)
    t.match(seen.processes, [{ pid: program.pid, uid: OTHER_UID, source: 'daemon' }])
    t.strictSame(holdersOf(seen).mappings, mappings)
    t.strictSame(
      holdersOf(seen).descriptors.map(([pid, fd]) => [pid, fd]),
      descriptors.map(([pid, fd]) => [pid, fd]),
    )
    t.match(seen.unseen.slice(0, 2), [
      `this user may not look into process ${program.pid}`,
      'it is not known for all descriptors which ones share an open file',
    ])
  },
)

t.test('a user who may only read is told what the picture lacks', { skip: otherUserProblem(MEMSVC) }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
  const { code, stdout } = await memsvc(registry, ['inspect'], { uid: OTHER_UID })
  t.equal(code, 0)
  t.match(stdout, /no visible process holds it/)
  t.match(stdout, /^not seen: \d+ process(es)? may hold it too, but this user may not look into them \(root may\)$/m)
  const told = Number(/^not seen: (\d+)/m.exec(stdout)?.[1])
  // Other processes come and go meanwhile.
  const { programs, kernelThreads } = countProcesses()
  t.ok(told < programs + kernelThreads / 2 || kernelThreads < 20, `${told}: threads of the kernel hold no memory`)
})

t.test('the picture is there for a terminal, for Graphviz and as SVG', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const [text, dot, svg] = await Promise.all(
    [[], ['--dot'], ['--svg']].map((args) => memsvc(registry, ['inspect', ...args])),
  )
  t.match(text, { code: 0, stdout: new RegExp(`^process ${program.pid}\\b`, 'm') })
  t.match(text?.stdout, /^│ the memory +│$/m)
  t.match(dot?.stdout, /^digraph "AnonymousSharedMemory" \{\n[\s\S]*-> memory\n[\s\S]*\}$/)
  t.match(
    svg?.stdout,
    new RegExp(`^<svg xmlns="http://www.w3.org/2000/svg"[\\s\\S]*process ${program.pid}[\\s\\S]*</svg>$`),
  )
})

t.test('two forms at once, and a service without memory that is known, are refused', async (t) => {
  const { registry } = await startMemsvc(t)
  t.match(await memsvc(registry, ['inspect', '--dot', '--svg']), { code: 2, stdout: '', stderr: /exclude each other/ })
  t.match(await memsvc(registry, ['inspect', 'nobody']), { code: 3, stdout: '' })
})
