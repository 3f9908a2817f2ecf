const memsvc = require('@memsvc/shared')

import('./use.mjs').then(async ({ use }) => console.log(await use(memsvc, process.env.REGISTRY)))
