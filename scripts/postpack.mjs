/** After npm packed a package: ours is its package.json again. */
import { existsSync, renameSync } from 'node:fs'
import { KEPT } from './lib/packing.mjs'

if (existsSync(KEPT)) renameSync(KEPT, 'package.json')
