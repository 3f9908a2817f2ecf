/** The frame of every check program: `node scripts/check-x.mjs [ROOT]`, one line per problem, exit code 1 if any. */
import { resolve } from 'node:path'
import { repositoryRoot } from './workspace.mjs'

/** Runs `findProblems(root): string[]` on the tree given as the first argument, else on this one. */
export function runCheck(name, findProblems) {
  const problems = findProblems(resolve(process.argv[2] ?? repositoryRoot))
  for (const problem of problems) console.error(`${name}: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}
