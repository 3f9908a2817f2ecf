/** Fetches tools that only one script needs, and that `npm ci` does not install, into .tools, which git ignores. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Installs a package of npm's, of exactly this version, the first time; none of its install scripts runs.
 * @param spec NAME@VERSION
 * @param options npm's
 * @returns the package's folder
 */
export function fetchTool(root, spec, options = []) {
  const name = spec.slice(0, spec.lastIndexOf('@'))
  const folder = join(root, '.tools', spec.replaceAll('/', '+'))
  if (!existsSync(folder)) {
    console.log(`fetching ${spec}`)
    const unfinished = `${folder}.unfinished`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished, { recursive: true })
    writeFileSync(join(unfinished, 'package.json'), JSON.stringify({ private: true }))
    execFileSync(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...options, spec],
      {
        cwd: unfinished,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    renameSync(unfinished, folder)
  }
  return join(folder, 'node_modules', name)
}
