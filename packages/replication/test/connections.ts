/** Requests to a node over kept connections: answers as HTTP has them, in whatever pieces they come. */
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { JsonLines } from '../src/etcd/json-lines.ts'
import { NODE_LIMITS, Nodes } from '../src/etcd/nodes.ts'
import { until } from '../test-support/index.ts'

interface Fake {
  readonly nodes: Nodes
  readonly requests: string[]
  /** Connections that were made. */
  readonly sockets: Socket[]
}

/** @param answer to the request of that number; a text is written byte by byte, null: the connection ends */
async function fake(t: Test, answer: (request: number, socket: Socket) => string | null, own = {}): Promise<Fake> {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', async (bytes) => {
      requests.push(bytes.toString())
      const text = answer(requests.length, socket)
      if (text === null) return socket.destroy()
      for (const byte of Buffer.from(text)) {
        await new Promise((resolve) => setImmediate(resolve))
        socket.write(Buffer.of(byte))
      }
      return undefined
    })
  })
  const endpoint = `http://127.0.0.1:${await listening(server)}`
  const nodes = new Nodes({ endpoints: [endpoint], tls: {}, limits: { ...NODE_LIMITS, silenceMs: 60_000, ...own } })
  t.teardown(() => {
    nodes.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { nodes, requests, sockets }
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
}

const call = { path: '/x', body: '{"ä":1}', headers: { authorization: 'token' } }

t.test('an answer may be of a known length, in chunks, empty, or all until the end', async (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length:  3 \r\nX: y\r\n\r\nä!',
    'HTTP/1.1 503 Not now\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nab\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n',
    'HTTP/1.1 204\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
  ]
  const { nodes, requests, sockets } = await fake(t, (request) => answers[request - 1] ?? null)
  t.same(await nodes.call(call), { status: 200, text: 'ä!' })
  t.same(await nodes.call(call), { status: 503, text: 'ab0123456789' })
  t.same(await nodes.call({ ...call, method: 'GET', body: '' }), { status: 204, text: '' })
  t.same(await nodes.call(call), { status: 200, text: '' })
  const kept = sockets.length
  t.ok(kept <= 2, 'connections are kept')
  t.same(await nodes.call(call), { status: 200, text: 'ok' })
  const [first = '', , third = ''] = requests
  t.match(first, /^POST \/x HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/)
  t.match(first, /\r\nauthorization: token\r\ncontent-length: 8\r\n\r\n\{"ä":1\}$/)
  t.match(third, /^GET [\s\S]*\r\n\r\n$/)
  await t.rejects(
    nodes.call(call),
    { fault: 'unknown', message: /closed the connection/ },
    'the sixth goes over a new connection',
  )
  t.ok(sockets.length <= kept + 1)
})

t.test('an answer without a length ends with its connection', async (t) => {
  const { nodes } = await fake(t, (_, socket) => {
    socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')
    return ''
  })
  t.same(await nodes.call(call), { status: 200, text: 'all of it' })
})

t.test('an answer that is not HTTP, or ends too early, is an error with an unknown outcome', async (t) => {
  const bad = [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`,
  ]
  const { nodes } = await fake(t, (request, socket) => {
    const text = bad[request - 1]
    if (text === undefined) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc')
    else socket.write(text)
    return ''
  })
  for (const text of bad)
    await t.rejects(nodes.call(call), { fault: 'unknown', message: /not speak HTTP/ }, text.slice(0, 20))
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /closed the connection/ })
})

t.test('a connection that says what nobody has asked is not asked again', async (t) => {
  const { nodes, sockets } = await fake(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  await nodes.call(call)
  const [first] = sockets
  first?.write('HTTP/1.1 408 Request Timeout\r\n\r\n')
  await until(() => first?.destroyed === true)
  t.equal((await nodes.call(call)).text, 'ok')
  t.equal(sockets.length, 2)
})

t.test('too long an answer is refused, and a late one is not waited for', async (t) => {
  const { nodes } = await fake(
    t,
    (request) => (request === 1 ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789' : ''),
    { answerBytes: 8 },
  )
  await t.rejects(nodes.call(call), { fault: 'tooLarge', message: /./ })
  await t.rejects(nodes.call({ ...call, timeoutMs: 20 }), { message: /in time/ })
})

t.test('a node that is silent is given up, one that nobody listens at was not asked', async (t) => {
  const { nodes, sockets } = await fake(t, () => '', { silenceMs: 50 })
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /silent/ })
  await until(() => sockets.every(({ destroyed }) => destroyed))
  const nobody = createServer()
  const port = await listening(nobody)
  await new Promise((resolve) => nobody.close(resolve))
  const absent = new Nodes({ endpoints: [`http://127.0.0.1:${port}`], tls: {}, limits: NODE_LIMITS })
  await t.rejects(absent.call(call), { fault: 'unsent', message: /ECONNREFUSED/ })
})

t.test('a kept connection may be silent while nobody asks, and is given up again when somebody does', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const { nodes, sockets } = await fake(t, (request) => (request === 1 ? answer : ''), { silenceMs: 2000 })
  await nodes.call(call)
  await new Promise((resolve) => setTimeout(resolve, 3000))
  t.equal(sockets[0]?.destroyed, false)
  await t.rejects(nodes.call(call), { fault: 'unknown', message: /silent/ })
  t.equal(sockets.length, 1)
})

t.test('no more than 64 are asked at a time, and all get their answer', async (t) => {
  const waiting: Socket[] = []
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  let isOpen = false
  const { nodes, sockets } = await fake(t, (_, socket) => {
    if (isOpen) socket.write(answer)
    else waiting.push(socket)
    return ''
  })
  const calls = Array.from({ length: 200 }, () => nodes.call(call))
  const late = nodes.call({ ...call, timeoutMs: 20 })
  await t.rejects(late, { fault: 'unsent', message: /in time/ }, 'one that had no turn in its time was not sent')
  await until(() => waiting.length === 64)
  isOpen = true
  for (const socket of waiting) socket.write(answer)
  t.ok((await Promise.all(calls)).every(({ text }) => text === 'ok'))
  t.equal(sockets.length, 64, 'the late one had none')
})

t.test('a token that would be another header is refused', async (t) => {
  const { nodes, sockets } = await fake(t, () => null)
  await t.rejects(nodes.call({ ...call, headers: { authorization: 'a\r\nb: c' } }), {
    fault: 'denied',
    message: /token/,
  })
  t.equal(sockets.length, 0)
})

t.test('lines of JSON come whole, over pieces and characters of several bytes', async (t) => {
  const found: unknown[] = []
  const lines = new JsonLines(20, (value) => found.push(value))
  for (const byte of Buffer.from('{"a":"ä€"}\n\n[1]\n"b"')) lines.take(Buffer.of(byte))
  t.same(found, [{ a: 'ä€' }, [1]])
  lines.take(Buffer.from('\n{}\n"c'))
  t.same(found.slice(2), ['b', {}])
  t.throws(() => lines.take(Buffer.from('x'.repeat(20))), { fault: 'tooLarge', message: /./ })
  t.throws(() => new JsonLines(20, () => undefined).take(Buffer.from('{\n')), { fault: 'unknown', message: /not JSON/ })
})
