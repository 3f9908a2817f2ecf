/** Runs after npm has packed a package: restores our own package.json. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { KEPT } from './lib/packing.mjs'
import { HIDING } from './lib/types.mjs'

if (existsSync(KEPT)) renameSync(KEPT, 'package.json')
rmSync(HIDING, { force: true })
