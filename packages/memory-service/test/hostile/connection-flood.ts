/** Connecting is bounded in time: who connects and closes as fast as he can is turned away, and others are served. */
import { ServiceManager } from '@memsvc/shared'
import * as harness from '@memsvc/shared/test-support'
import t from 'tap'
import { callAs, MEMSVC, memclient, OWN_NAMES, readStatus, startMemsvc } from '../../test-support/index.ts'

const BURST = 1024
const FLOODER_UID = 1234
const FLOOD = `
import socket, sys
path, say = sys.argv[1], sys.argv[2] == 'speak'
refused = 0
while True:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.setblocking(False)
    try:
        end.connect(path)
        if say:
            end.send(bytes([1, 1] + [0] * 10 + [1, 0, 0, 0] + [0] * 16))
            end.setblocking(True)
            end.settimeout(0.001)
            if end.recv(4096)[1] == 4 and refused == 0:
                refused = 1
                print('refused', flush=True)
    except OSError:
        pass
    end.close()
`
const CONNECT_AT_ONCE = `
import socket, sys
ends = []
for _ in range(int(sys.argv[2])):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.settimeout(20)
    end.connect(sys.argv[1])
    end.send(bytes([1, 1] + [0] * 10 + [1, 0, 0, 0] + [0] * 16))
    ends.append(end)
ends[-1].settimeout(0.5)
answers = 0
for end in ends:
    end.setblocking(False)
    try:
        end.recv(4096)
        answers += 1
    except BlockingIOError:
        pass
print(len(ends), answers, flush=True)
`
const skip = harness.otherUserProblem(MEMSVC)

harness.watchdog(t)
harness.leakChecked(t)

t.test(`${BURST} connections of one user at once are served`, { skip }, async (t) => {
  const { registry } = await startOpen(t)
  const program = harness.startCommand(['/usr/bin/env', 'python3', '-c', CONNECT_AT_ONCE, registry, String(BURST)], {
    uid: FLOODER_UID,
  })
  t.teardown(() => program.destroy())
  const { stdout, stderr } = await program.ending
  t.equal(stdout, `${BURST} 0`, stderr)
})

for (const manner of ['be silent', 'speak']) {
  t.test(`beside two floods that ${manner} another user reads, again and again`, { skip }, async (t) => {
    const { registry } = await startOpen(t)
    const floods = [1, 2].map(() =>
      harness.startCommand(['/usr/bin/env', 'python3', '-c', FLOOD, registry, manner], { uid: FLOODER_UID }),
    )
    for (const flood of floods) t.teardown(() => flood.destroy())
    if (manner === 'speak') t.equal(await Promise.race(floods.map(({ stdout }) => stdout.next())), 'refused')
    for (let round = 0; round < 3; round++) {
      t.match(await memclient(registry, ['read'], { uid: harness.OTHER_UID }), { code: 0, stdout: '0' })
      t.strictSame(await callAs(harness.OTHER_UID, registry, 'read'), { ok: 0 })
    }
    for (const flood of floods) await flood.destroy()
    using manager = await ServiceManager.connect({ path: registry })
    t.strictSame(await manager.listServices(), OWN_NAMES)
    t.ok((await readStatus(registry)).fds < 200, 'and nothing of them stays')
  })
}

async function startOpen(t: Parameters<typeof startMemsvc>[0]) {
  return startMemsvc(t, { registry: harness.newRegistryPath(t, 0o711), args: ['--socket-mode', '666'] })
}
