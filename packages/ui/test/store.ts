/** The window in a real browser: the named values of a store, and the picture of the memory. */
import { leakChecked, OTHER_UID, otherUserProblem } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../test-support/index.ts'

const { chooseKey, click, fill, MEMCLIENT, memclient, named, noChromium, openPage, openWindow, sees, seesAlert } =
  support
const { startChromium, startMemsvc, takePicture } = support

support.patient(t)
leakChecked(t)

t.test('the store in Chromium', { skip: noChromium }, async (t) => {
  const browser = await startChromium(t)

  /** A page that shows the store of a daemon which has these values. */
  async function openStore(t: support.Test, values: Record<string, string>) {
    const { registry, program } = await startMemsvc(t)
    for (const [key, value] of Object.entries(values)) await memclient(registry, ['put', key, value])
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    await click(page, 'Store', 'tab')
    const get = async (key: string) => (await memclient(registry, ['get', key])).stdout
    return { registry, program, page, get }
  }

  await t.test('keys are searched, a value is edited as JSON and as text, made and deleted', async (t) => {
    const { page, get, registry } = await openStore(t, {
      'app/title': 'hello',
      'app/limits': '{"rate":10}',
      other: '1',
    })
    await sees(page, 'app/title')
    await fill(page, 'Search keys', 'limits', 'searchbox')
    await support.waitUntil(page, () => document.querySelectorAll('.keys li').length === 1)
    await chooseKey(page, 'app/limits')
    await sees(page, 'revision')
    await fill(page, 'Value, as JSON', '{"rate":')
    await click(page, 'Save')
    await seesAlert(page, /this is not JSON/)
    await fill(page, 'Value, as JSON', '{"rate":20}')
    await click(page, 'Save')
    await sees(page, 'Saved as revision')
    t.equal(await get('app/limits'), '{"rate":20}')
    await takePicture(page, 'store')

    await fill(page, 'Search keys', 'title', 'searchbox')
    await chooseKey(page, 'app/title')
    await named(page, 'Value, as text', 'textbox')
    await fill(page, 'Value, as text', 'good morning')
    await click(page, 'Save')
    await sees(page, 'Saved as revision')
    t.equal(await get('app/title'), '"good morning"')
    await click(page, 'Delete')
    await support.waitUntil(page, () => document.querySelector('.editor') === null)
    t.equal((await memclient(registry, ['get', 'app/title'])).code, 3)

    await click(page, 'New value')
    await fill(page, 'Key', 'new/key')
    await fill(page, 'Value, as JSON', '[1,2]')
    await click(page, 'Save')
    await named(page, 'new/key', 'form')
    t.equal(await get('new/key'), '[1,2]')
  })

  await t.test('a conflict is shown, and the user resolves it', async (t) => {
    const { registry, page, get } = await openStore(t, { shared: '"first"' })
    await chooseKey(page, 'shared')
    await named(page, 'Value, as text', 'textbox')
    await fill(page, 'Value, as text', 'mine')
    await memclient(registry, ['put', 'shared', 'theirs'])
    await seesAlert(page, /Somebody else has changed it meanwhile.*theirs/)
    await takePicture(page, 'conflict')
    await click(page, 'Take theirs')
    await support.waitUntil(page, () => document.querySelector('textarea')?.value === 'theirs')
    t.equal(await get('shared'), '"theirs"')
    await fill(page, 'Value, as text', 'mine again')
    await memclient(registry, ['put', 'shared', 'theirs again'])
    await seesAlert(page, /theirs again/)
    await click(page, 'Save mine over it')
    await sees(page, 'Saved as revision')
    t.equal(await get('shared'), '"mine again"')
  })

  await t.test('a revision that is old by the time it arrives is a conflict too', async (t) => {
    const { registry, page } = await openStore(t, { k: '1' })
    await sees(page, 'k')
    const refused = await page.evaluate(async () => {
      const body = JSON.stringify({ name: 'SharedStore', key: 'k', text: '2', mode: 'json', ifVersion: '1' })
      const response = await fetch('api/put', { method: 'POST', body })
      return { status: response.status, answer: await response.json() }
    })
    t.match(refused, { status: 409, answer: { code: 'ERR_CONFLICT', version: /^\d+$/ } })
    t.equal((await memclient(registry, ['get', 'k'])).stdout, '1')
  })

  await t.test('values that others change, and a restart, are followed', async (t) => {
    const { registry, program, page } = await openStore(t, { a: '1' })
    await sees(page, 'live, 1 key')
    await memclient(registry, ['put', 'b', '2'])
    await sees(page, 'live, 2 keys')
    await program.destroy()
    await sees(page, 'its owner is away: these are the last values, 2 keys')
    await startMemsvc(t, { registry })
    await sees(page, 'live, 0 keys')
    await memclient(registry, ['put', 'c', '3'])
    await sees(page, 'live, 1 key')
  })

  await t.test('the picture of the memory has every process that holds it', async (t) => {
    const { registry, program } = await startMemsvc(t)
    const window = await openWindow(t, registry)
    const page = await openPage(t, browser, window.url)
    await click(page, 'Memory', 'tab')
    await page.waitForSelector('.picture svg')
    const text = await page.$eval('.picture', (found) => found.textContent)
    if (process.getuid?.() === 0) {
      t.match(text, `process ${program.pid}`)
      t.match(text, `process ${window.program.pid}`)
    }
    await takePicture(page, 'memory')
    await click(page, 'Look again')
    await page.waitForSelector('.picture svg')
  })

  await t.test('a page cannot write what its user may not write', { skip: otherUserProblem(MEMCLIENT) }, async (t) => {
    const registry = support.newRegistryPath(t, 0o711)
    await startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
    await memclient(registry, ['put', 'k', '1'])
    const page = await openPage(t, browser, (await openWindow(t, registry, { uid: OTHER_UID })).url)
    await support.seesValue(page, 0)
    await fill(page, 'Value', '1')
    await click(page, 'Write')
    await seesAlert(page, /Not permitted/)
    await takePicture(page, 'not-permitted')
    await click(page, 'Store', 'tab')
    await chooseKey(page, 'k')
    await named(page, 'Value, as JSON', 'textbox')
    await fill(page, 'Value, as JSON', '2')
    await click(page, 'Save')
    await seesAlert(page, /Not permitted/)
    t.equal((await memclient(registry, ['get', 'k'])).stdout, '1')
  })
})
