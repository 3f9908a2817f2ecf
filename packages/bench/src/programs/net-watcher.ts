/** N watchers that are told by lines of JSON over node:net. Words: PATH N. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { onLines } from './frames.ts'
import { NoticeLog } from './notices.ts'
import { serveSamples } from './samples.ts'

const [path = '', count = ''] = process.argv.slice(2)
const log = new NoticeLog(Number(count))

for (let i = 0; i < Number(count); i++) {
  const socket = connect(path)
  await once(socket, 'connect')
  await new Promise<void>((resolve) => {
    onLines(socket, (line) => {
      const { changed } = JSON.parse(line) as { changed?: number }
      if (changed === undefined) resolve()
      else log.read(changed)
    })
    socket.write(`${JSON.stringify({ id: 0, watch: true })}\n`)
  })
}

await serveSamples({ notices: (milliseconds) => log.sample(milliseconds) })
