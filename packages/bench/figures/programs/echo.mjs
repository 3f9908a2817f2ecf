/** echo.mjs PATH: sends everything back that comes over this Unix socket. */
import { createServer } from 'node:net'

createServer((socket) => socket.on('data', (bytes) => socket.write(bytes))).listen(process.argv[2], () =>
  console.log('ready'),
)
