/** The bytes of docs/protocol.md, section 11: what the client sends there is sent, and what it receives is what comes. */
import { leakChecked, RawPeer, watchdog } from '@memsvc/shared/test-support'
import { AreaReader, addSeals, constants, ftruncate, memfdCreate, type OwnedFd } from 'memfd-native'
import t, { type Test } from 'tap'
import { ints, nodeFs, openConnection, startMemsvc, string16, token, wire } from '../../test-support/index.ts'

const PAGE = new URL('../../../../../docs/protocol.md', import.meta.url)
const AREA_BYTES = 65_536

watchdog(t)
leakChecked(t)

interface Example {
  readonly isSent: boolean
  readonly title: string
  /** In hexadecimal; of what differs each time it has dots. */
  readonly hex: string
  /** More follows, which is not on the page. */
  readonly isOpen: boolean
}

/** Blocks of code below a heading of section 11. */
function blocksOf(heading: string): string[][] {
  const text = nodeFs.readFileSync(PAGE, 'utf8')
  const [, behind = ''] = text.split(`\n### ${heading}\n`)
  const [part = ''] = behind.split('\n### ')
  return [...part.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = '']) => block.trimEnd().split('\n'))
}

function examplesOf(heading: string): Example[] {
  return blocksOf(heading).map(([first = '', ...lines]) => ({
    isSent: first.startsWith('-> '),
    title: first.slice(3),
    hex: lines.map((line) => hexOf(line).replace('*', '')).join(''),
    isOpen: lines.at(-1)?.startsWith('*') === true,
  }))
}

/** Bytes stand before two spaces, and may have single ones between them. */
function hexOf(line: string): string {
  return (line.split(/ {2}/)[0] ?? '').replaceAll(' ', '')
}

function fits({ hex, isOpen }: Example, bytes: Buffer): boolean {
  return new RegExp(`^${hex}${isOpen ? '' : '$'}`).test(bytes.toString('hex'))
}

/** Sends and receives them in their order. What is received one after the other may come in another order. @returns what came with it */
async function play(t: Test, peer: RawPeer, examples: readonly Example[]): Promise<OwnedFd[]> {
  const fds: OwnedFd[] = []
  for (let i = 0; i < examples.length; ) {
    const next = examples.slice(i).findIndex(({ isSent }) => isSent !== examples[i]?.isSent)
    const turn = examples.slice(i, next < 0 ? undefined : i + next)
    i += turn.length
    if (turn[0]?.isSent === true) for (const { hex } of turn) peer.send(Buffer.from(hex, 'hex'))
    else fds.push(...(await receive(t, peer, turn)))
  }
  return fds
}

async function receive(t: Test, peer: RawPeer, expected: readonly Example[]): Promise<OwnedFd[]> {
  const fds: OwnedFd[] = []
  let left = [...expected]
  while (left.length > 0) {
    const packet = await peer.receive()
    if (packet === null) throw new Error(`the channel has ended before ${left[0]?.title}`)
    fds.push(...packet.fds)
    for (const message of packet.messages) {
      const bytes = wire.message(message, message.body)
      const example = left.find((one) => fits(one, bytes))
      t.ok(example, `${example?.title ?? bytes.toString('hex')}, instead of one of ${left.map(({ title }) => title)}`)
      left = left.filter((one) => one !== example)
      if (example === undefined) return fds
    }
  }
  return fds
}

/** @returns a channel to the value, as the page opens it, and to the store as well */
async function open(t: Test, registry: string, name: 'AnonymousSharedMemory' | 'SharedStore'): Promise<RawPeer> {
  const [hello, ask, answer] = examplesOf('A client reads the value') as [Example, Example, Example]
  const connection = openConnection(t, registry)
  const request = Buffer.from(ask.hex, 'hex')
  connection.send(Buffer.from(hello.hex, 'hex'))
  const parcel = Buffer.concat([token('memsvc.IServiceManager'), string16(name)])
  const other = wire.message({ kind: wire.TRANSACTION, id: 1, code: 1 }, parcel)
  if (name === 'AnonymousSharedMemory') t.same(request, other)
  connection.send(other)
  const [end] = await receive(t, connection, [answer])
  connection.close()
  if (end === undefined) throw new Error('no descriptor came')
  const service = new RawPeer(t, end)
  service.send(Buffer.from(hello.hex, 'hex'))
  return service
}

function close(...ends: { close(): void }[]): void {
  for (const end of ends) end.close()
}

t.test('a client reads the value, sets it and watches it', async (t) => {
  const { registry } = await startMemsvc(t)
  const service = await open(t, registry, 'AnonymousSharedMemory')
  const [region, ...others] = await play(t, service, examplesOf('A client reads the value').slice(3))
  t.strictSame(others, [])
  t.strictSame(await play(t, service, examplesOf('It sets the value, and watches')), [])
  const bytes = Buffer.alloc(4)
  nodeFs.readSync(region?.fd ?? -1, bytes, 0, 4, 0)
  t.same(bytes, Buffer.from([0, 0, 0, 43]))
  close(service, region as OwnedFd)
})

t.test('a client of a store', async (t) => {
  const { registry } = await startMemsvc(t)
  const service = await open(t, registry, 'SharedStore')
  const fds = await play(t, service, examplesOf('A client of a store'))
  t.equal(fds.length, 1)
  const [first, last] = examplesOf('A parcel in several packets') as [Example, Example]
  const parts = [token('memsvc.IStore'), string16('big'), ints(1, 100_000), Buffer.alloc(100_000), ints(-1, -1, 0, 0)]
  const body = Buffer.concat(parts)
  service.send(Buffer.concat([Buffer.from(first.hex, 'hex'), body.subarray(0, 65_504)]))
  service.send(Buffer.concat([Buffer.from(last.hex, 'hex'), body.subarray(65_504)]))
  const [answer] = await service.receiveMessages(1)
  t.match(answer, { kind: wire.REPLY, id: 6, dataSize: 20 })
  t.same(answer?.body.subarray(0, 8), ints(0, 0))
  close(service, ...fds)
})

t.test('an area has its keys where the page says', async (t) => {
  const [lines = []] = blocksOf('An area')
  const area = Buffer.alloc(AREA_BYTES)
  for (const line of lines) {
    const [offset = '', rest = ''] = line.split(': ')
    Buffer.from(hexOf(rest), 'hex').copy(area, Number.parseInt(offset, 16))
  }
  const memfd = memfdCreate('page', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, AREA_BYTES)
  nodeFs.writeSync(memfd.fd, area, 0, AREA_BYTES, 0)
  addSeals(memfd, constants.F_SEAL_SHRINK)
  const reader = AreaReader.attach(memfd)
  const read = (key: string) => {
    const target = Buffer.alloc(100)
    return target.subarray(0, reader.key(key).read(target))
  }
  t.same(read('greeting'), Buffer.from('"hi"'))
  t.same(read('a/key/that/is/longer/than/24/bytes'), Buffer.from([1, 2, 3]))
  close(reader, memfd)
})
