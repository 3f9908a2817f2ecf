/** Makes a project that uses the packages as they are published, and the programs in it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from '../lib/workspace.mjs'
import { copyWorkspace, npm, pack } from '../packages/tarballs.mjs'
import { TOOLS } from './tools.mjs'

const PACKAGES = ['memfd-native', 'shared']
const ADDON = join(repositoryRoot, 'packages/memfd-native/build/Release/memfd_native.node')

/** @returns the project's folder: beside the tools, so that it finds them */
export function makeProject() {
  mkdirSync(TOOLS, { recursive: true })
  const folder = mkdtempSync(join(TOOLS, 'project-'))
  const workspace = mkdtempSync(join(tmpdir(), 'memsvc-consumers-'))
  try {
    copyWorkspace(workspace, ADDON)
    const tarballs = PACKAGES.map((name) => pack(join(workspace, 'packages', name), folder))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, name: 'consumer' }))
    npm(['install', '--ignore-scripts', '--no-package-lock', ...tarballs], folder)
  } finally {
    rmSync(workspace, { recursive: true })
  }
  cpSync(join(repositoryRoot, 'scripts/consumers/programs'), folder, { recursive: true })
  return folder
}
