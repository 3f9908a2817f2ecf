/** Which registry a command speaks to: the same one whatever happens to run; and what it says where there is none. */
import { existsSync } from 'node:fs'
import * as harness from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

harness.watchdog(t)
harness.leakChecked(t)

const OF_THE_MACHINE = '/run/memsvc'
const otherUserSkip = harness.otherUserProblem(support.MEMSVC)
const skip = existsSync(OF_THE_MACHINE) ? `${OF_THE_MACHINE} is there: this machine has a registry` : otherUserSkip

/** A daemon that goes by its environment. */
async function startIn(t: Test, env: Record<string, string>): Promise<void> {
  const program = harness.startProgram(support.MEMSVC, ['start'], { env })
  t.teardown(() => program.destroy())
  if ((await program.stderr.find((line) => line.includes('"msg":"ready"'))) === null)
    throw new Error(program.stderr.text)
}

t.test('options of the registry stand before and after the command, of both programs', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const program of [support.MEMSVC, support.MEMCLIENT]) {
    for (const args of [
      ['--registry', registry, 'list'],
      [`--registry=${registry}`, 'list'],
      ['list', '--registry', registry, '--registry-owner', '7'],
      ['--registry-owner', '7', '--json', '--registry', registry, 'list'],
    ]) {
      t.match(await harness.runProgram(program, args), { code: 0, stdout: /AnonymousSharedMemory/ }, args.join(' '))
    }
  }
  t.match(await support.runMemsvc(['--registry', registry, '--json', 'status']), { code: 0, stdout: /^\{/ })
  t.match(await support.runMemsvc(['--json', 'start']), { code: 2, stderr: /unknown option '--json'/ })
})

t.test('contradicting options are a usage error of both programs', async (t) => {
  const wrong: [args: string[], complaint: RegExp][] = [
    [['--registry', '/r', '--system'], /exclude each other/],
    [['--registry', '/r', '--user'], /exclude each other/],
    [['--system', '--user'], /exclude each other/],
    [['--user'], /XDG_RUNTIME_DIR, which is not set/],
    [['--registry', '/r', '--registry-owner', 'memsvc'], /--registry-owner must be a uid/],
  ]
  for (const [args, complaint] of wrong) {
    for (const command of ['list', 'start', 'status', 'stop', 'doctor']) {
      t.match(
        await support.runMemsvc([command, ...args]),
        { code: 2, stdout: '', stderr: complaint },
        `${command} ${args.join(' ')}`,
      )
    }
    for (const command of ['list', 'read', 'watch', 'info']) {
      t.match(
        await support.runMemclient([...args, command]),
        { code: 2, stdout: '', stderr: complaint },
        `${command} ${args.join(' ')}`,
      )
    }
  }
  const relative = { env: { XDG_RUNTIME_DIR: 'run' } }
  t.match(await support.runMemclient(['read', '--user'], relative), { code: 2, stderr: /which is relative/ })
})

t.test('a registry that runs elsewhere is not spoken to, but named', async (t) => {
  const runtime = support.nodePath.dirname(harness.newRegistryPath(t))
  const usersPath = support.nodePath.join(runtime, 'memsvc/registry.sock')
  const env = { XDG_RUNTIME_DIR: runtime }
  await startIn(t, env)
  const elsewhere = harness.newRegistryPath(t)
  const asked = { env: { ...env, MEMSVC_REGISTRY: elsewhere } }
  for (const [program, args] of [
    [support.MEMCLIENT, ['read']],
    [support.MEMCLIENT, ['write', '5']],
    [support.MEMCLIENT, ['watch']],
    [support.MEMSVC, ['stop']],
    [support.MEMSVC, ['status']],
  ] as const) {
    const { code, stdout, stderr } = await harness.runProgram(program, args, asked)
    t.strictSame({ code, stdout }, { code: 3, stdout: '' }, args.join(' '))
    t.match(
      stderr,
      `no registry at ${elsewhere}: start one with 'memsvc start'; the user's registry is running: add --user`,
    )
  }
  t.match(await support.runMemclient(['read', '--user'], asked), { code: 0, stdout: '0' })
  t.match(await support.runMemclient(['read'], { env }), { code: 0, stdout: '0' }, usersPath)
})

t.test('watch, status and stop name the registry that they speak to', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const watch = harness.startProgram(support.MEMCLIENT, ['watch', '--registry', registry])
  t.teardown(() => watch.destroy())
  t.equal(await watch.stdout.next(), '0')
  t.ok(await watch.stderr.find((line) => line.endsWith(`at ${registry}`)))
  const link = harness.newRegistryPath(t)
  support.nodeFs.symlinkSync(registry, link)
  t.match(JSON.parse((await support.runMemsvc(['status', '--json', '--registry', link])).stdout), { registry: link })
  t.match((await support.runMemsvc(['status', '--registry', registry])).stdout, `registry: ${registry}`)
  t.match(await support.runMemsvc(['stop', '--registry', registry]), { code: 0, stderr: `at ${registry}` })
})

t.test('something that is not a registry is named as what it is', async (t) => {
  const folder = support.nodePath.dirname(harness.newRegistryPath(t))
  const stream = support.nodePath.join(folder, 'stream.sock')
  const server = support.nodeNet.createServer().listen(stream)
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  support.nodeFs.writeFileSync(support.nodePath.join(folder, 'file'), '')
  support.nodeFs.symlinkSync('circle', support.nodePath.join(folder, 'circle'))
  const cases: [path: string, words: string][] = [
    [folder, `${folder} is a folder, not the socket of a registry`],
    ['/dev/null', '/dev/null is a device, not the socket of a registry'],
    [support.nodePath.join(folder, 'file'), 'is a file, not the socket of a registry'],
    [support.nodePath.join(folder, 'file/registry.sock'), 'a part of that path is not a folder'],
    [support.nodePath.join(folder, 'circle'), 'its symbolic links form a circle'],
    [stream, 'is the socket of another program, not of a registry'],
    ['unix:/x', "give the path without 'unix:'"],
    [
      support.nodePath.join(folder, 'none'),
      `no registry at ${support.nodePath.join(folder, 'none')}: start one with 'memsvc start'`,
    ],
  ]
  for (const [path, words] of cases) {
    for (const program of [support.MEMSVC, support.MEMCLIENT]) {
      const { code, stderr } = await harness.runProgram(program, ['list', '--registry', path])
      t.equal(code, 3, path)
      t.match(stderr, words)
    }
  }
})

t.test('a user who may not make a registry is not told to start one', { skip }, async (t) => {
  const { code, stderr } = await support.runMemclient(['read'], { uid: harness.OTHER_UID })
  t.equal(code, 3)
  t.equal(stderr, `memclient: no registry at ${OF_THE_MACHINE}/registry.sock, and this user may not start one there`)
})
