#!/usr/bin/env node
// CommonJS, and one file: what this tool takes is mostly the loading of modules. From Node 22 on compiled code is kept, too.
require('node:module').enableCompileCache?.()
require('../dist/memclient.cjs')
