/** A cable from a machine to a port: pulled, nothing comes through, what is on its way is lost, and nobody new gets anywhere. */
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'

/** @returns where it begins, and how it is pulled, plugged in, and taken away */
export async function layCable(port) {
  const ends = new Set()
  const server = createServer((near) => {
    const far = createConnection({ port, host: '127.0.0.1' })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      ends.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => undefined)
      from.on('close', () => {
        ends.delete(from)
        to.destroy()
      })
    }
  })
  const listen = async (at) => {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  }
  const own = await listen(0)
  const drop = () => {
    for (const end of ends) end.destroy()
  }
  return {
    url: `http://127.0.0.1:${own}`,
    pull: () => {
      server.close()
      for (const end of ends) end.pause()
    },
    plugIn: async () => {
      drop()
      await listen(own)
    },
    close: () => {
      server.close()
      drop()
    },
  }
}
