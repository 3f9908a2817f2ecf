/** Requests, as a crowd sends them: some at a time, each by a connection of its own, so that every worker gets its share. */
import { get } from 'node:http'

/** @param each called with what came back of every request, and with what `before` gave when it was sent */
export async function sendRequests(port, { count, atATime, path = '/', before = () => undefined, each }) {
  let sent = 0
  const send = async () => {
    while (sent < count) {
      sent += 1
      const seen = before()
      each(await request(port, path), seen)
    }
  }
  await Promise.all(Array.from({ length: atATime }, send))
}

function request(port, path) {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve({ status: response.statusCode, text })
    }).once('error', reject)
  })
}
