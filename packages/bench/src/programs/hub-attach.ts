/**
 * Attaching by the hub of memfd-native and nothing else: connect, be given the end of a new channel, ask there for the
 * region's descriptor, map it, read. As memsvc does it, with 16 bytes where memsvc has calls: the least that two round trips,
 * two sockets and a descriptor can cost in Node.js on this machine. Words: ROOT server|client PATH.
 */
import { constants as fsConstants } from 'node:fs'
import { loadNative, type NativeLibrary } from './library.ts'
import { serveSamples, timeCalls, verify } from './samples.ts'

type Fd = NativeLibrary['OwnedFd']['prototype']
type Socket = InstanceType<NativeLibrary['HubSocket']>

const MESSAGE_BYTES = 16
const REGION_BYTES = 4
const VALUE = 42
const [root = '', role = '', path = ''] = process.argv.slice(2)
const native = await loadNative(root)
const { constants, Hub, Mapping, mmap } = native
const hub = Hub.current()

function makeRegion(): Fd {
  const region = native.memfdCreate('bench', constants.MFD_ALLOW_SEALING)
  native.ftruncate(region, REGION_BYTES)
  const mapping = Mapping.map(region, REGION_BYTES, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  mapping.writeInt32BE(0, VALUE)
  mapping.unmap()
  native.addSeals(region, constants.F_SEAL_SHRINK | constants.F_SEAL_GROW | constants.F_SEAL_FUTURE_WRITE)
  return region
}

/** Answers every packet of the socket by one with the descriptor that `make` makes for it. */
function answer(fd: Fd, make: () => Fd): void {
  const peer: Socket = hub.attach(
    fd,
    {
      onPacket: () => {
        using made = make()
        peer.send(MESSAGE_BYTES, [made])
      },
      onEnd: () => peer.close(),
      onWritable: () => undefined,
    },
    { acceptsFileDescriptors: false },
  )
}

function openChannel(region: Fd): Fd {
  const [server, client] = native.socketpair(constants.SOCK_SEQPACKET)
  native.setPassRights(server, false)
  answer(server, () => native.reopen(region, fsConstants.O_RDONLY))
  return client
}

function serve(): void {
  const region = makeRegion()
  const listener = native.socket(constants.SOCK_SEQPACKET)
  native.setPassRights(listener, false)
  native.bind(listener, path)
  native.listen(listener, 4096)
  hub.listen(listener, {
    onConnection: (fd) => answer(fd, () => openChannel(region)),
    onAcceptFailed: (errno) => {
      throw new Error(`accept: ${errno}`)
    },
  })
  hub.ref()
  process.stdout.write('ready\n')
}

interface Attached {
  readonly sockets: readonly Socket[]
  readonly region: Fd
  readonly mapping: NativeLibrary['Mapping']['prototype']
}

/** Sends one packet, and is answered by a descriptor. */
function ask(fd: Fd, sockets: Socket[]): Promise<Fd> {
  return new Promise((resolve) => {
    const peer = hub.attach(
      fd,
      {
        onPacket: ({ fds: [descriptor] }) => descriptor && resolve(descriptor),
        onEnd: () => verify(false, 'the server stays'),
        onWritable: () => undefined,
      },
      { acceptsFileDescriptors: true },
    )
    sockets.push(peer)
    peer.send(MESSAGE_BYTES)
  })
}

async function attach(): Promise<Attached> {
  const sockets: Socket[] = []
  const connection = native.socket(constants.SOCK_SEQPACKET)
  native.connect(connection, path)
  const region = await ask(await ask(connection, sockets), sockets)
  verify((native.getSeals(region) & constants.F_SEAL_SHRINK) !== 0, 'the region cannot shrink')
  const mapping = Mapping.map(region, REGION_BYTES, mmap.PROT_READ, mmap.MAP_SHARED)
  verify(mapping.readInt32BE(0) === VALUE, 'the region has the value')
  return { sockets, region, mapping }
}

function detach({ sockets, region, mapping }: Attached): void {
  mapping.unmap()
  region.close()
  for (const peer of sockets) peer.close()
}

if (role === 'server') serve()
else {
  hub.ref()
  detach(await attach())
  await serveSamples({ attach: (milliseconds) => timeCalls(milliseconds, attach, detach) })
}
