/** Fetches what consumers of the packages use: each supported Node.js, test runners, bundlers. `npm ci` does not install them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../lib/workspace.mjs'

/** Git ignores it. */
export const TOOLS = join(repositoryRoot, '.tools/consumers')
export const MAJORS = [20, 22, 24, 26]

const NODES = MAJORS.map((major) => [`node-linux-${process.arch}-${major}`, `npm:node-linux-${process.arch}@^${major}`])
const DEPENDENCIES = {
  ...Object.fromEntries(NODES),
  '@rollup/plugin-node-resolve': '^16.0.3',
  esbuild: '^0.28.2',
  jest: '^30.5.2',
  'jest-environment-jsdom': '^30.5.2',
  jsdom: '^29.1.1',
  rollup: '^4.68.8',
  tsx: '^4.23.15',
  vite: '^8.4.0',
  vitest: '^4.1.12',
  webpack: '^5.113.0',
}

/** @returns null: they are there; otherwise why they cannot be had */
export function fetchTools() {
  const manifest = `${JSON.stringify({ private: true, dependencies: DEPENDENCIES }, null, 2)}\n`
  const path = join(TOOLS, 'package.json')
  if (existsSync(path) && readFileSync(path, 'utf8') === manifest && existsSync(nodeOf(MAJORS.at(-1)))) return null
  mkdirSync(TOOLS, { recursive: true })
  writeFileSync(path, manifest)
  console.log('consumers: fetching the tools')
  try {
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
    execFileSync('npm', args, { cwd: TOOLS, stdio: ['ignore', 'ignore', 'pipe'] })
    return null
  } catch (error) {
    writeFileSync(path, '{}\n')
    return String(error.stderr ?? error)
      .trim()
      .split('\n')
      .slice(0, 3)
      .join(' ')
  }
}

/** The path of that Node.js. */
export function nodeOf(major) {
  return join(TOOLS, `node_modules/node-linux-${process.arch}-${major}/bin/node`)
}

/** The path of a tool's program. */
export function bin(name) {
  return join(TOOLS, 'node_modules/.bin', name)
}
