/** Whom a listener of the hub turns away: those who have gone already, and users who are refused for a while. */
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import { leakChecked, tempFolder } from '../test-support/index.ts'

const hub = api.Hub.current() // lives as long as the thread: its descriptors are no leak of a test
leakChecked(t)

const FAREWELL = Buffer.from('too many')
const SHUT_WR = 1
const uid = process.getuid?.() ?? 0

/** Writes down who comes, and refuses whom it is told to. */
class Door implements api.ConnectionHandler {
  readonly path: string
  readonly accepted: api.OwnedFd[] = []
  readonly asked: number[] = []
  /** undefined: everybody is let in. */
  refusesForMs: number | undefined
  #wake: () => void = () => {}

  constructor(t: Test) {
    this.path = `${tempFolder(t)}/socket`
    const listening = api.socket(api.constants.SOCK_SEQPACKET)
    api.bind(listening, this.path)
    api.listen(listening)
    const listener = hub.listen(listening, this)
    hub.ref()
    t.teardown(() => {
      hub.unref()
      listener.close()
      for (const fd of this.accepted) fd.close()
    })
  }

  refuse(uid: number) {
    this.asked.push(uid)
    this.#wake()
    return this.refusesForMs === undefined ? null : { farewell: FAREWELL, milliseconds: this.refusesForMs }
  }

  onConnection(fd: api.OwnedFd): void {
    this.accepted.push(fd)
    this.#wake()
  }

  onAcceptFailed(errno: number): void {
    throw new Error(`accept: ${errno}`)
  }

  connect(): api.OwnedFd {
    const client = api.socket(api.constants.SOCK_SEQPACKET)
    api.connect(client, this.path)
    return client
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

/** What was said before the end. */
async function farewellOf(client: api.OwnedFd): Promise<string[]> {
  const said: string[] = []
  for (;;) {
    try {
      const { data } = api.recvmsg(client, 100, 0)
      if (data.length === 0) return said
      said.push(data.toString())
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') throw error
      await new Promise(setImmediate)
    }
  }
}

t.test('connections whose clients have gone before accept are not reported, whatever the clients sent', async (t) => {
  const door = new Door(t)
  for (let i = 0; i < 1000; i++) {
    using client = door.connect()
    if (i % 3 === 1) api.sendmsg(client, Buffer.from('hello'))
    if (i % 3 === 2) api.shutdown(client, api.SHUT_RDWR)
  }
  using last = door.connect()
  await door.until(() => door.accepted.length === 1)
  t.strictSame(door.asked, [uid])
  t.equal(api.sendmsg(last, Buffer.from('here')), 4)
  t.equal(api.recvmsg(door.accepted[0] as api.OwnedFd, 100, 0).data.toString(), 'here')
})

t.test('a client that has only stopped sending is reported', async (t) => {
  const door = new Door(t)
  using client = door.connect()
  api.shutdown(client, SHUT_WR)
  await door.until(() => door.accepted.length === 1)
  api.sendmsg(door.accepted[0] as api.OwnedFd, Buffer.from('answer'))
  t.equal(api.recvmsg(client, 100, 0).data.toString(), 'answer')
})

t.test('a user who is refused is told so, and the handler is not asked again until the time is over', async (t) => {
  const door = new Door(t)
  door.refusesForMs = 1_000_000
  using first = door.connect()
  t.strictSame(await farewellOf(first), [`${FAREWELL}`])
  t.strictSame(door.asked, [uid])
  for (let i = 0; i < 300; i++) {
    using client = door.connect()
    t.strictSame(await farewellOf(client), [`${FAREWELL}`])
  }
  t.strictSame(door.asked, [uid])
  t.equal(door.accepted.length, 0)
})

t.test('when that time is over, the handler is asked again', async (t) => {
  const door = new Door(t)
  door.refusesForMs = 5
  using first = door.connect()
  t.strictSame(await farewellOf(first), [`${FAREWELL}`])
  door.refusesForMs = undefined
  while (door.accepted.length === 0) {
    using client = door.connect()
    await new Promise((resolve) => setTimeout(resolve, 2))
    client.close()
  }
  t.equal(door.asked.length >= 2, true)
})
