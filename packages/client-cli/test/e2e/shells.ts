/** Completion in the real shells, examples in the help, and man pages by man(1). */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const { MEMCLIENT, memclient, nodeChildProcess, nodeFs, nodePath, startMemsvc } = support
const { spawnSync } = nodeChildProcess
const PACKAGES = nodePath.join(MEMCLIENT, '../../..')

watchdog(t)
leakChecked(t)

/** For a test's `skip`. */
function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined ? false : `needs ${program}`
}

/** A registry with two keys, and a folder of commands for PATH. */
async function prepare(t: support.Test) {
  const { registry } = await startMemsvc(t)
  await memclient(registry, ['put', 'flags/dark', 'true'])
  await memclient(registry, ['put', 'flags/light', 'false'])
  await memclient(registry, ['write', '42'])
  const folder = t.testdir({})
  for (const [name, file] of [
    ['memclient', 'client-cli/bin/memclient.cjs'],
    ['memsvc', 'memory-service/bin/memsvc.js'],
  ] as const)
    nodeFs.symlinkSync(nodePath.join(PACKAGES, file), nodePath.join(folder, name))
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, MEMSVC_REGISTRY: registry, TERM: 'dumb' }
  /** What a script of this shell says. */
  const run = (shell: string, ...args: string[]) => {
    const { stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8', env })
    return {
      words: stdout
        .split('\n')
        .map((line) => line.split('\t')[0]?.trim())
        .filter((word) => word !== ''),
      stderr,
    }
  }
  return { run }
}

const LINES: readonly (readonly [line: string, expected: readonly string[]])[] = [
  ['memclient inc', ['increment']],
  ['memclient get flags/', ['flags/dark', 'flags/light']],
  ['memclient watch Anon', ['AnonymousSharedMemory']],
  ['memclient write ', ['42']],
  ['memsvc status Sh', ['SharedStore']],
  ['memsvc log --level w', ['warn']],
]

t.test('bash completes commands, names, keys and values', { skip: missing('bash') }, async (t) => {
  const { run } = await prepare(t)
  const script = (line: string) => `
    source <(memclient completion bash); source <(memsvc completion bash)
    COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; read -ra COMP_WORDS <<<"$COMP_LINE"
    [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _\${COMP_WORDS[0]}; printf '%s\\n' "\${COMPREPLY[@]}"`
  for (const [line, expected] of LINES) t.match(run('bash', '-c', script(line)), { words: expected, stderr: '' }, line)
})

t.test('fish completes them too', { skip: missing('fish') }, async (t) => {
  const { run } = await prepare(t)
  for (const [line, expected] of LINES) {
    const script = `memclient completion fish | source; memsvc completion fish | source; complete -C'${line}'`
    t.match(run('fish', '--no-config', '-c', script).words, expected, line)
  }
})

t.test('zsh completes them too', { skip: missing('zsh') }, async (t) => {
  const { run } = await prepare(t)
  // What _describe is given: the list that a person sees is drawn by the terminal.
  const script = `
    compdef() { :; }; _files() { :; }
    _describe() { local name=$2; print -l -- "\${(@P)name}" }
    source <(memclient completion zsh); source <(memsvc completion zsh)
    words=("\${(@s: :)line}"); CURRENT=$#words; _$words[1]`
  for (const [line, expected] of LINES) {
    const { words } = run('zsh', '-f', '-c', `line='${line}'\n${script}`)
    t.strictSame(
      words.map((word) => word?.split(':')[0]),
      expected,
      line,
    )
  }
})

t.test('a shell that is none is refused, and the help has examples', async (t) => {
  const { registry } = await startMemsvc(t)
  t.match(await memclient(registry, ['completion', 'tcsh']), { code: 2, stdout: '', stderr: /bash, zsh, fish/ })
  t.match(await memclient(registry, ['put', '--help']), { code: 0, stdout: /Examples:\n {4}memclient put / })
})

t.test(
  'the man pages are where the packages say, and man shows them without a warning',
  { skip: missing('man') },
  async (t) => {
    for (const folder of ['client-cli', 'memory-service', 'shared', 'ui']) {
      const { man } = JSON.parse(nodeFs.readFileSync(nodePath.join(PACKAGES, folder, 'package.json'), 'utf8'))
      for (const page of man) {
        const path = nodePath.join(PACKAGES, folder, page)
        const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', path], {
          encoding: 'utf8',
          env: { ...process.env, MANWIDTH: '100' },
        })
        t.match({ status, stderr }, { status: 0, stderr: '' }, page)
        t.match(stdout, /NAME\n +mem/, page)
        t.ok(stdout.split('\n').length > 40, page)
      }
    }
  },
)
