/** Removes everything that was built; leaves node_modules. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { listPackages, repositoryRoot } from './lib/workspace.mjs'

const outputs = listPackages(repositoryRoot).flatMap(({ folder }) =>
  ['build', 'dist', 'prebuilds'].map((name) => `${folder}/${name}`),
)
for (const output of [...outputs, '.tap']) rmSync(join(repositoryRoot, output), { recursive: true, force: true })
