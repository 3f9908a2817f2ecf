/** Whether a service is there, as of now: also where the event loop has not heard yet of its end, or it was ended here. */
import t from 'tap'
import { Binder } from '../../src/index.ts'
import { isThere } from '../../src/service-manager/service-link.ts'
import { leakChecked, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

t.test('none is not there, one of this process is', async (t) => {
  t.strictSame([isThere(null), isThere(new Binder())], [false, true])
})

t.test('one that was closed here, or that has closed its end, is not', async (t) => {
  const [here, there] = [sessionPair(t, new Binder()), sessionPair(t, new Binder())]
  for (const { proxy } of [here, there]) {
    await proxy.pingBinder()
    t.equal(isThere(proxy), true)
  }
  here.proxy.close()
  t.equal(isThere(here.proxy), false)
  there.server.close()
  t.equal(isThere(there.proxy), false, 'before the event loop has turned')
})
