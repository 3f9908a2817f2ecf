/** Runs one of the check programs on a small tree of a test's own. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '../../lib/workspace.mjs'

/** Writes `files`, path to text (or to an object, as JSON), below `root`. */
export function writeTree(root, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
}

/** What `node scripts/NAME.mjs ROOT` printed, line by line. Throws if that and the exit code do not agree. */
export function checkTree(name, root) {
  const program = join(repositoryRoot, 'scripts', `${name}.mjs`)
  const { status, stderr } = spawnSync(process.execPath, [program, root], { encoding: 'utf8' })
  const problems = stderr.split('\n').filter((line) => line !== '')
  if (status !== (problems.length > 0 ? 1 : 0)) throw new Error(`exit code ${status} after: ${stderr}`)
  return problems.map((line) => line.replace(`${name}: `, ''))
}
