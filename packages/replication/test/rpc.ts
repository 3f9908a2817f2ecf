/** Calls by gRPC, beside the gateway: what comes of them, and what fails. */
import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { call, nodesAt, patient, until, untilByRpc } from '../test-support/index.ts'

patient(t)

interface Fake {
  readonly endpoint: string
  /** How many connections have had a call. */
  readonly sessions: () => number
}

/** Speaks HTTP/2 only. @param answer to the call of that number, from 1 on. @param onBegin a call has begun */
async function fake(
  t: Test,
  answer: (stream: ServerHttp2Stream, call: number, sent: string) => void,
  onBegin: (stream: ServerHttp2Stream) => void = () => undefined,
): Promise<Fake> {
  const server = createHttp2()
  const sessions = new Set<unknown>()
  let calls = 0
  server.on('session', (session) => t.teardown(() => session.destroy()))
  server.on('stream', (stream) => {
    sessions.add(stream.session)
    onBegin(stream)
    const parts: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (bytes: Buffer) => parts.push(bytes))
    stream.on('end', () => {
      // Else it was ended before anything was asked by it.
      if (parts.length > 0) answer(stream, ++calls, Buffer.concat(parts).toString())
    })
  })
  t.teardown(() => server.close())
  return { endpoint: await listening(server), sessions: () => sessions.size }
}

function listening(server: Server | Http2Server): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`)),
  )
}

function frame(text: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(text.length, 1)
  return Buffer.concat([head, Buffer.from(text)])
}

function end(stream: ServerHttp2Stream, trailers: Record<string, string>, body = frame('')): void {
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.respond({ ':status': 200 }, { waitForTrailers: true })
  stream.end(body)
}

t.test('answers come whole: a message, a refusal, or what is neither', async (t) => {
  const seen: string[] = []
  const { endpoint } = await fake(t, (stream, call, sent) => {
    seen.push(sent)
    if (call === 2)
      return stream.respond({ ':status': 200, 'grpc-status': '7', 'grpc-message': 'not %C3%A4 %' }, { endStream: true })
    if (call === 3) return end(stream, { 'grpc-status': '14' })
    if (call === 4) return end(stream, { 'grpc-status': '0' }, frame('').subarray(1))
    if (call === 5) return end(stream, {})
    if (call === 6) return stream.close(2)
    if (call === 7) {
      stream.respond({ ':status': 415 })
      return stream.end('no gRPC')
    }
    if (call === 9) return end(stream, { 'grpc-status': '9', 'grpc-message': 'y'.repeat(80) })
    if (call === 8) return end(stream, { 'grpc-status': '0' }, frame('x'.repeat(60)))
    return end(stream, { 'grpc-status': '0' }, frame('answer'))
  })
  const nodes = nodesAt(t, endpoint, { answerBytes: 64 })
  t.equal((await untilByRpc(nodes)).message?.toString(), 'answer')
  t.equal(seen[0], frame('asked').toString())
  t.same(await nodes.call(call), { status: 500, text: '{"message":"not %C3%A4 %"}' })
  t.same(await nodes.call(call), { status: 500, text: '{"message":"status 14 of gRPC"}' })
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /does not speak gRPC/ })
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /closed the connection/ })
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /closed the connection/ })
  t.same(await nodes.call(call), { status: 415, text: 'no gRPC' })
  await t.rejects(nodes.call(call), { fault: 'tooLarge', message: /64/ })
  await t.rejects(nodes.call(call), { fault: 'tooLarge', message: /64/ }, 'nor a long reason')
  t.equal((await nodes.call(call)).message?.toString(), 'answer', 'the connection was kept')
})

t.test('a connection over which no answer comes in time is not asked again', async (t) => {
  const { endpoint, sessions } = await fake(t, (stream, call) => {
    if (call !== 2) end(stream, { 'grpc-status': '0' })
  })
  const nodes = nodesAt(t, endpoint)
  await untilByRpc(nodes)
  await t.rejects(nodes.call({ ...call, timeoutMs: 20 }), { fault: 'unknown', message: /in time/ })
  await untilByRpc(nodes)
  t.equal(sessions(), 2)
})

t.test('a request over a connection that breaks may have been carried out', async (t) => {
  const { endpoint } = await fake(t, (stream, call) => {
    if (call === 2) stream.session?.destroy()
    else end(stream, { 'grpc-status': '0' })
  })
  const nodes = nodesAt(t, endpoint)
  await untilByRpc(nodes)
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /./ })
})

t.test('a request goes on when its node is no longer the first', async (t) => {
  const asked: ServerHttp2Stream[] = []
  const { endpoint, sessions } = await fake(t, (stream, call) => {
    if (call === 2) asked.push(stream)
    else end(stream, { 'grpc-status': '0' })
  })
  const nodes = nodesAt(t, endpoint)
  await untilByRpc(nodes)
  const before = nodes.call(call)
  await until(() => asked.length === 1)
  nodes.turn()
  end(asked[0] as ServerHttp2Stream, { 'grpc-status': '0' }, frame('late'))
  t.equal((await before).message?.toString(), 'late')
  await untilByRpc(nodes)
  t.equal(sessions(), 2)
})

t.test('if no node speaks HTTP/2, everything goes through the gateway', async (t) => {
  const requests: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      const text = bytes.toString()
      requests.push(text.split('\r\n')[0] as string)
      if (text.startsWith('PRI')) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
    })
  })
  t.teardown(() => server.close())
  const nodes = nodesAt(t, await listening(server))
  t.same(await nodes.call(call), { status: 200, text: '{}' })
  await until(() => requests.some((line) => line.startsWith('PRI')))
  for (let i = 0; i < 5; i++) t.same(await nodes.call(call), { status: 200, text: '{}' })
  t.equal(requests.filter((line) => line.startsWith('PRI')).length, 1, 'and it is not tried each time')
  t.equal(requests.filter((line) => line === 'POST /gateway HTTP/1.1').length, 6)
})

/** What has begun on the connection of a fake node. */
function begun(): { streams: ServerHttp2Stream[]; take: (stream: ServerHttp2Stream) => void } {
  const streams: ServerHttp2Stream[] = []
  return { streams, take: (stream) => streams.push(stream) }
}

t.test('when a call is over, the next one has begun', async (t) => {
  const { streams, take } = begun()
  const asked: ServerHttp2Stream[] = []
  const answer = (stream: ServerHttp2Stream) => {
    asked.push(stream)
    end(stream, { 'grpc-status': '0' }, frame(`call ${asked.length}`))
  }
  const { endpoint } = await fake(t, answer, take)
  const nodes = nodesAt(t, endpoint)
  await untilByRpc(nodes)
  await until(() => streams.length === 2)
  t.equal(asked.length, 1, 'and nothing is asked by it')

  t.equal((await nodes.call(call)).message?.toString(), 'call 2')
  t.equal(asked[1], streams[1], 'until there is something to ask')
  await until(() => streams.length === 3)

  const other = { ...call, headers: { authorization: 'another' } }
  t.equal((await nodes.call(other)).message?.toString(), 'call 3')
  t.not(asked[2], streams[2], 'which it is not for')
  await until(() => streams.length === 5 && streams[2]?.destroyed === true)

  streams[4]?.close(8)
  await until(() => streams[4]?.destroyed === true)
  t.equal((await untilByRpc(nodes, () => nodes.call(other))).message?.toString(), 'call 4', 'nor if the node ended it')
  await until(() => streams.length === 7)

  nodes.turn()
  await until(() => streams[6]?.destroyed === true)
  t.equal(asked.length, 4)
})

t.test('a node that ends does not wait for a call that has only begun', async (t) => {
  const { streams, take } = begun()
  const { endpoint } = await fake(t, (stream) => end(stream, { 'grpc-status': '0' }), take)
  const nodes = nodesAt(t, endpoint)
  await untilByRpc(nodes)
  await until(() => streams.length === 2)
  const { session } = streams[1] as ServerHttp2Stream
  const isClosed = new Promise((resolve) => session?.once('close', resolve))
  session?.goaway(0)
  await isClosed
  t.equal(streams[1]?.destroyed, true)
})
