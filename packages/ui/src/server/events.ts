/** Sends changes to the page as they come: server-sent events. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Model } from '../model/model.ts'
import { policy } from './headers.ts'

/** So that who waits knows that there is somebody. */
const BEAT_MS = 15_000
/** A page that does not read is disconnected; it connects again when it wakes up. */
const MOST_UNREAD = 4 * 1024 * 1024

export function sendEvents(model: Model, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { ...policy(), 'content-type': 'text/event-stream; charset=utf-8' })
  response.write('retry: 500\n\n')
  const send = (text: string) => {
    response.write(text)
    if (response.writableLength > MOST_UNREAD) response.destroy()
  }
  const stop = model.listen((event, data) => send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
  const beat = setInterval(() => send(': here\n\n'), BEAT_MS)
  request.once('close', () => {
    clearInterval(beat)
    stop()
  })
}
