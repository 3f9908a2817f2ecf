/** An area on a machine without memory: putting is refused before a byte is touched, and what is there stays. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { areaWriteCodes } from '../src/index.ts'
import { fixturePath, leakChecked, runNode } from '../test-support/index.ts'

leakChecked(t)

const canInject = spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=bind:error=EIO', 'true']).status === 0

for (const error of ['ENOSPC', 'ENOMEM']) {
  t.test(`${error} while it grows is FULL`, { skip: canInject ? false : 'needs strace' }, async (t) => {
    // The first ones are for the header, the index and the first values.
    const inject = `inject=fallocate:error=${error}:when=6+`
    const strace = ['strace', '-f', '-q', '-o', '/dev/null', '-e', 'trace=fallocate', '-e', inject]
    const program = [process.execPath, fixturePath('fills-an-area')]
    const { status, stdout, stderr } = spawnSync(strace[0] as string, [...strace.slice(1), ...program], {
      encoding: 'utf8',
    })
    t.strictSame({ status, stderr }, { status: 0, stderr: '' })
    t.strictSame(JSON.parse(stdout), {
      refusal: areaWriteCodes.FULL,
      isEarly: true,
      isWhole: true,
      deletes: 'bigint',
      again: 'bigint',
    })
  })
}

t.test('with memory it is full when its capacity is', async (t) => {
  const { status, output } = runNode([fixturePath('fills-an-area')])
  t.equal(status, 0)
  t.match(JSON.parse(output), { isEarly: false, isWhole: true })
})
