/** A service whose proxy nobody holds any more is let go, though the proxy is held strongly at first. */
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

/** A service by bytes, whose proxy is out of reach as soon as this returns. */
function abandoned(t: Test): support.RawPeer {
  return support.rawServer(t, { closeWithTest: false }).peer
}

t.test('its channel ends, also of those that came while others were held', async (t) => {
  const peers = [abandoned(t)]
  const collecting = setInterval(support.collectGarbage, 20)
  t.teardown(() => clearInterval(collecting))
  const first = peers[0]?.ended()
  await new Promise((resolve) => setTimeout(resolve, 100))
  peers.push(abandoned(t), abandoned(t))
  await Promise.all([first, ...peers.slice(1).map((peer) => peer.ended())])
  const last = abandoned(t) // when those before have been let go
  await last.ended()
})

t.test('one that somebody holds stays', async (t) => {
  const { proxy, client } = support.sessionPair(t, new support.ScriptedBinder({}))
  client.weakenRoot()
  await support.settle()
  t.equal(await proxy.pingBinder(), true)
})
