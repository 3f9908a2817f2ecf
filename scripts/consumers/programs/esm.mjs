import * as memsvc from '@memsvc/shared'
import { use } from './use.mjs'

console.log(await use(memsvc, process.env.REGISTRY))
