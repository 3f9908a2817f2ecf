#!/usr/bin/env node
import('../dist/bundle/main.js').catch((error) => {
  if (error.code !== 'ERR_UNSUPPORTED_OPERATION') throw error
  process.stderr.write(`memsvc: ${error.message}\n`) // no binary for this machine
  process.exitCode = 1
})
