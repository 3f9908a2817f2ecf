/** The baselines in C: built here, with cc, when a source is newer than the program. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { buildFolder, packageFolder } from './paths.ts'
import type { Program } from './process.ts'

const SOURCES = `${packageFolder}native`
const BINARY = `${buildFolder}/baseline`
const FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror']

/** @throws when there is no cc, or it refuses */
export function buildBaseline(): void {
  const files = readdirSync(SOURCES).map((name) => `${SOURCES}/${name}`)
  if (existsSync(BINARY) && files.every((file) => statSync(file).mtimeMs < statSync(BINARY).mtimeMs)) return
  mkdirSync(buildFolder, { recursive: true })
  execFileSync('cc', [...FLAGS, '-o', BINARY, ...files.filter((file) => file.endsWith('.c'))], { stdio: 'inherit' })
}

/** A program of the baseline, see native/programs.h. */
export function baseline(name: string, ...args: (string | number)[]): Program {
  return { argv: [BINARY, name, ...args.map(String)] }
}
