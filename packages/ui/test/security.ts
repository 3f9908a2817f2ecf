/** Who gets nothing: another user of the machine, another page, a name that was rebound, a port that leaked. */
import { leakChecked } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../test-support/index.ts'

const { noChromium, openPage, openWindow, seesValue, startChromium, startMemsvc } = support

support.patient(t)
leakChecked(t)

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** By hand: with any Host and Origin. */
function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = support.nodeHttp.request(
      { host: '127.0.0.1', port, path, agent: false, ...options },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text) => {
          body += text
          if (response.headers['content-type']?.startsWith('text/event-stream')) response.destroy()
        })
        response.on('close', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      },
    )
    request.on('error', reject)
    request.end(options.method === 'POST' ? '{"name":"AnonymousSharedMemory","text":"666"}' : undefined)
  })
}

/** A window, and the way to its page, as its user has it. */
async function open(t: support.Test) {
  const { registry } = await startMemsvc(t)
  const { url, port } = await openWindow(t, registry)
  const { pathname, search } = new URL(url)
  const redeem = () => ask(port, pathname + search)
  return { registry, port, redeem }
}

t.test('the token is good once, and leads to a path that nobody can guess', async (t) => {
  const { port, redeem } = await open(t)
  const first = await redeem()
  t.equal(first.status, 303)
  const root = String(first.headers.location)
  t.match(root, /^\/s\/[\w-]{43}\/$/)
  t.match(await redeem(), { status: 403, body: /has been used/ })
  t.match(await ask(port, root), { status: 200, body: /<div id="app">/ })
  t.match(await ask(port, `${root}api/events`), { status: 200, body: /retry/ })
})

t.test('without the path there is nothing: every request is refused alike', async (t) => {
  const { port } = await open(t)
  const paths = [
    '/',
    '/index.html',
    '/app.js',
    '/api/events',
    '/api/value?name=AnonymousSharedMemory',
    '/s/',
    '/s/x/api/events',
    '/?token=x',
  ]
  for (const path of paths) {
    const { status, body } = await ask(port, path)
    t.equal(status, 403, path)
    t.notMatch(body, /AnonymousSharedMemory|registry\.sock/, path)
  }
  t.match(await ask(port, '/api/write', { method: 'POST' }), { status: 403 })
})

t.test('another page, and a name that was rebound, get nothing even with the path', async (t) => {
  const { registry, port, redeem } = await open(t)
  const root = String((await redeem()).headers.location)
  const own = `127.0.0.1:${port}`
  const write = (headers: Record<string, string>) => ask(port, `${root}api/write`, { method: 'POST', headers })
  for (const headers of [
    { host: `evil.example:${port}`, origin: `http://evil.example:${port}` },
    { host: '127.0.0.1' },
    { host: `127.0.0.1:${port + 1}` },
    { host: own, origin: 'http://evil.example' },
    { host: own, origin: 'null' },
    { host: own, origin: `http://127.0.0.1:${port + 1}` },
    { host: own, origin: `https://${own}` },
    { host: own, 'sec-fetch-site': 'cross-site' },
    { host: own, 'sec-fetch-site': 'same-site' },
    { host: own },
  ])
    t.match(await write(headers), { status: 403 }, JSON.stringify(headers))
  t.match(await ask(port, `${root}api/events`, { headers: { host: `evil.example:${port}` } }), { status: 403 })
  t.equal((await support.memclient(registry, ['read'])).stdout, '0', 'nothing was written')
  t.match(await write({ host: own, origin: `http://${own}` }), { status: 200 })
  t.equal((await support.memclient(registry, ['read'])).stdout, '666')
})

t.test(
  'another user of the machine, who knows the port and the process, gets nothing',
  { skip: support.otherUserProblem(support.MEMCLIENT) },
  async (t) => {
    const { registry } = await startMemsvc(t)
    const { port, program, url } = await openWindow(t, registry)
    const token = new URL(url).searchParams.get('token') ?? 'none'
    const other = await support.runProgram(support.OTHER_USER, [String(port), String(program.pid)], {
      uid: support.OTHER_UID,
    })
    const found = JSON.parse(other.stdout)
    t.match(found, { uid: support.OTHER_UID, statuses: [403], environment: null })
    t.equal(found.statuses.length, 1)
    t.notMatch(found.bodies, /AnonymousSharedMemory|registry\.sock/)
    t.match(found.commandLine, /memclient/)
    t.notOk(other.stdout.includes(token), 'nowhere is the token')
    t.equal((await support.memclient(registry, ['read'])).stdout, '0')
    t.equal((await ask(port, `/?token=${token}`)).status, 303, 'and it is good still')
  },
)

t.test('a browser that is led to the port by another name gets nothing', { skip: noChromium }, async (t) => {
  const browser = await startChromium(t, ['--host-resolver-rules=MAP evil.example 127.0.0.1'])
  const { registry } = await startMemsvc(t)
  const window = await openWindow(t, registry)
  const page = await openPage(t, browser, window.url)
  await seesValue(page, 0)
  const { pathname } = new URL(page.url())
  const evil = `http://evil.example:${window.port}`
  const other = await page.browserContext().newPage()
  for (const path of ['/', pathname, `${pathname}api/value?name=AnonymousSharedMemory`]) {
    const response = await other.goto(evil + path)
    t.equal(response?.status(), 403, path)
    t.match(await other.content(), /This name is not the address of the window/)
  }
  const write = await other.evaluate(async (path: string) => {
    const body = '{"name":"AnonymousSharedMemory","text":"666"}'
    return (await fetch(`${path}api/write`, { method: 'POST', body }).catch(() => null))?.status ?? 'refused'
  }, pathname)
  t.equal(write, 403)
  t.equal((await support.memclient(registry, ['read'])).stdout, '0')
})

t.test('it listens on the loopback only, and sends strict headers with everything', async (t) => {
  const { port, redeem } = await open(t)
  const root = String((await redeem()).headers.location)
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => support.nodeFs.readFileSync(path, 'utf8')).join('')
  t.strictSame(sockets.match(new RegExp(`[0-9A-F]+:${hex} [0-9A-F]+:0000 0A`, 'g')), [
    `0100007F:${hex} 00000000:0000 0A`,
  ])
  for (const path of [root, `${root}app.js`, `${root}api/value?name=x`, `${root}nothing`, '/']) {
    const { headers } = await ask(port, path)
    t.match(
      headers['content-security-policy'],
      /^default-src 'none'; script-src [^;*]+; .*frame-ancestors 'none'/,
      path,
    )
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  }
  t.match(await ask(port, `${root}../../package.json`), { status: 403 })
  t.match(await ask(port, `${root}%2e%2e/package.json`), { status: 403 })
  t.match(await ask(port, `${root}api/toString`), { status: 404 })
})

t.test('in a browser another page of the machine cannot ask, nor show it', { skip: noChromium }, async (t) => {
  const browser = await startChromium(t)
  const { registry } = await startMemsvc(t)
  const window = await openWindow(t, registry)
  const page = await openPage(t, browser, window.url)
  await seesValue(page, 0)
  const address = page.url()
  const evil = support.nodeHttp.createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>evil</title>')
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  t.teardown(() => evil.close())
  const other = await page.browserContext().newPage()
  await other.goto(`http://127.0.0.1:${(evil.address() as { port: number }).port}/`)
  const got = await other.evaluate(async (root: string) => {
    const outcome = async (path: string, init?: RequestInit) => {
      try {
        const response = await fetch(root + path, init)
        return response.type === 'opaque' ? 'opaque' : `${response.status}`
      } catch {
        return 'refused'
      }
    }
    const body = '{"name":"AnonymousSharedMemory","text":"666"}'
    const frame = document.createElement('iframe')
    frame.src = root
    const loaded = new Promise<string>((resolve) => {
      frame.onload = () => resolve(frame.contentDocument === null ? 'hidden' : 'seen')
    })
    document.body.append(frame)
    const opened = globalThis.open(root)
    const seen = () => {
      try {
        return opened === null ? 'blocked' : `${opened.document.title}`
      } catch {
        return 'hidden'
      }
    }
    return [
      await outcome('api/value?name=AnonymousSharedMemory'),
      await outcome('api/write', { method: 'POST', mode: 'no-cors', body }),
      await loaded,
      seen(),
    ]
  }, address)
  t.strictSame(got.slice(0, 3), ['refused', 'refused', 'hidden'])
  t.match(got[3], /^(hidden|blocked|)$/, 'a tab that it opens shows the page to the user, and nothing to who opened it')
  t.equal((await support.memclient(registry, ['read'])).stdout, '0')
})

/** In place of xdg-open: says which file it was given, and what is in it. */
function fakeOpener(t: support.Test, code = 0) {
  const folder = t.testdir({})
  const seen = support.nodePath.join(folder, 'seen')
  support.nodeFs.writeFileSync(
    support.nodePath.join(folder, 'xdg-open'),
    `#!/bin/sh\necho "$@" > ${seen}.new; cat "$1" >> ${seen}.new; ls -l "$1" >> ${seen}.new; mv ${seen}.new ${seen}; exit ${code}\n`,
    { mode: 0o755 },
  )
  const opened = () =>
    support.until(
      async () => (support.nodeFs.existsSync(seen) ? support.nodeFs.readFileSync(seen, 'utf8') : ''),
      (found) => found !== '',
    )
  return { env: { PATH: `${folder}:${process.env.PATH}` }, opened }
}

t.test('a token is in no command line, also where a browser is opened', async (t) => {
  const { registry } = await startMemsvc(t)
  const { env, opened } = fakeOpener(t)
  const { url, program } = await openWindow(t, registry, { args: ['--open'], env })
  const [line = '', ...rest] = (await opened()).split('\n')
  t.notMatch(line, /token|http/)
  t.ok(rest.join('\n').includes(url), 'the file leads there')
  t.match(rest.join('\n'), /-rw------- /)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  t.notOk(support.nodeFs.existsSync(line), 'the file goes with the window')
})

t.test('the file that a browser is given leads to the page', { skip: noChromium }, async (t) => {
  const browser = await startChromium(t)
  const { registry } = await startMemsvc(t)
  const { env, opened } = fakeOpener(t)
  await openWindow(t, registry, { args: ['--open'], env })
  const [file = ''] = (await opened()).split('\n')
  const page = await openPage(t, browser, `file://${file}`)
  await seesValue(page, 0)
})

t.test('if no browser can be opened, the command says so, and the window works nevertheless', async (t) => {
  const { registry } = await startMemsvc(t)
  const { port, program } = await openWindow(t, registry, { args: ['--open'], env: fakeOpener(t, 3).env })
  const words = 'no browser could be opened (xdg-open ended with 3): open the address yourself'
  t.ok(await program.stderr.find((line) => line.includes(words)))
  t.equal((await ask(port, '/')).status, 403)
})
