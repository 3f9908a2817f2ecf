/** The window in a real browser: the seed's client, and the value as it lives. */
import { leakChecked } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../test-support/index.ts'

const { click, fieldText, fill, memclient, noChromium, openPage, openWindow, sees, seesAlert, seesValue } = support
const { startChromium, startMemsvc, takePicture } = support

support.patient(t)
leakChecked(t)

t.test('the value in Chromium', { skip: noChromium }, async (t) => {
  const browser = await startChromium(t)

  await t.test('Read, Write and Clear do what the seed’s onClick does', async (t) => {
    const { registry } = await startMemsvc(t)
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    await seesValue(page, 0)
    await click(page, 'Read')
    await sees(page, 'Read 0 from the memory.')
    t.equal(await fieldText(page), '0')
    await fill(page, 'Value', '-42')
    await click(page, 'Write')
    await seesValue(page, -42)
    t.equal(await fieldText(page), '-42', 'the text stays')
    t.equal((await memclient(registry, ['read'])).stdout, '-42')
    await click(page, 'Clear')
    t.equal(await fieldText(page), '')
    await seesValue(page, -42)
    t.equal((await memclient(registry, ['read'])).stdout, '-42', 'Clear leaves the value')
    await click(page, 'Read')
    await support.waitUntil(page, () => document.querySelector('input')?.value === '-42')
    await takePicture(page, 'value')
  })

  await t.test('the first input is the value, and what is no int32 is refused in words', async (t) => {
    const { registry } = await startMemsvc(t)
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    await seesValue(page, 0)
    t.equal(await page.$eval('input', (input) => input.labels?.[0]?.textContent), 'Value')
    for (const [text, words] of [
      ['2147483648', /Out of range.*-2147483648 to 2147483647/],
      ['4.5', /not a whole number/],
      ['', /Type a whole number first/],
    ] as const) {
      await fill(page, 'Value', text)
      await click(page, 'Write')
      t.match(await seesAlert(page, words), words)
    }
    await takePicture(page, 'out-of-range')
    t.equal((await memclient(registry, ['read'])).stdout, '0')
  })

  await t.test('changes of others appear in every window, and in the history', async (t) => {
    const { registry } = await startMemsvc(t)
    const window = await openWindow(t, registry)
    const page = await openPage(t, browser, window.url)
    await seesValue(page, 0)
    const second = await page.browserContext().newPage()
    await second.goto(`http://127.0.0.1:${window.port}/`)
    await seesValue(second, 0)
    const seen = Promise.all([seesValue(page, 7), seesValue(second, 7)])
    await memclient(registry, ['write', '7'])
    await seen
    t.match(await page.$eval('.history', (found) => found.textContent), /AnonymousSharedMemory.*7/)
  })

  await t.test('a daemon that dies and comes back is followed without a reload', async (t) => {
    const { registry, program } = await startMemsvc(t)
    await memclient(registry, ['write', '5'])
    const page = await openPage(t, browser, (await openWindow(t, registry, { args: ['--no-start'] })).url)
    await seesValue(page, 5)
    await program.destroy()
    await sees(page, 'the service is gone: its last value')
    await click(page, 'Read')
    await seesAlert(page, /The service is gone/)
    t.equal(await fieldText(page), '5', 'the memory has its last value still')
    await fill(page, 'Value', '6')
    await click(page, 'Write')
    await seesAlert(page, /The service is gone. Nothing was written/)
    await takePicture(page, 'gone')
    await startMemsvc(t, { registry })
    await seesValue(page, 0)
    await click(page, 'Write')
    await seesValue(page, 6)
    t.equal((await memclient(registry, ['read'])).stdout, '6')
  })

  await t.test('a daemon that does not answer is told from one that is gone, and reading goes on', async (t) => {
    const { registry, program } = await startMemsvc(t)
    await memclient(registry, ['write', '9'])
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    await seesValue(page, 9)
    await support.waitUntil(page, () => document.querySelector('aside')?.textContent?.includes('AnonymousSharedMemory'))
    program.kill('SIGSTOP')
    await sees(page, 'the service does not answer: it is stopped, or has too much to do')
    await seesAlert(page, /The registry at .* does not answer/)
    t.match(await page.$eval('aside', (found) => found.textContent), /AnonymousSharedMemory/, 'the list stays')
    await click(page, 'Read')
    await sees(page, 'Read 9 from the memory.')
    await fill(page, 'Value', '10')
    await click(page, 'Write')
    await seesAlert(page, /has not answered for 5 s. It may still do what it was asked/)
    await takePicture(page, 'slow')
    await click(page, 'Store', 'tab')
    await sees(page, 'its owner does not answer')
    await takePicture(page, 'slow-store')
    await click(page, 'Value', 'tab')
    program.kill('SIGCONT')
    await seesValue(page, 10)
    await sees(page, 'live, since')
    await support.waitUntil(page, () => !document.body.innerText.includes('does not answer:'))
    await takePicture(page, 'slow-no-more')
  })

  await t.test('one that is gone can be started from the page, unless with --no-start', async (t) => {
    const { registry, program } = await startMemsvc(t)
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    const shy = await openPage(t, browser, (await openWindow(t, registry, { args: ['--no-start'] })).url)
    await Promise.all([seesValue(page, 0), seesValue(shy, 0)])
    t.equal(await page.$('::-p-aria([name="Start memsvc"][role="button"])'), null, 'there is nothing to start')
    await program.destroy()
    await Promise.all([sees(page, 'the service is gone'), sees(shy, 'the service is gone')])
    await takePicture(page, 'gone-with-button')
    t.equal(await shy.$('::-p-aria([name="Start memsvc"][role="button"])'), null)
    const refused = await shy.evaluate(async () => {
      const response = await fetch('api/start', { method: 'POST', body: '{}' })
      return [response.status, (await response.json()).words]
    })
    t.strictSame(refused, [400, 'This window cannot start a daemon: it was opened with --no-start'])
    await click(page, 'Start memsvc')
    await sees(page, "started 'memsvc start' (pid ")
    const [, pid] =
      /started 'memsvc start' \(pid (\d+)\)/.exec(await page.$eval('main', (found) => found.innerText)) ?? []
    t.teardown(() => process.kill(Number(pid), 'SIGKILL'))
    await Promise.all([sees(page, 'live, since'), sees(shy, 'live, since')])
    await support.waitUntil(page, () => !document.body.innerText.includes('Start memsvc'))
    await fill(page, 'Value', '11')
    await click(page, 'Write')
    await Promise.all([seesValue(page, 11), seesValue(shy, 11)])
    await takePicture(page, 'started-again')
  })

  await t.test('if no service answers, one is started, which outlives the window', async (t) => {
    const registry = support.newRegistryPath(t)
    const window = await openWindow(t, registry)
    const [, pid] = /started 'memsvc start' \(pid (\d+)\)/.exec(window.program.stderr.text) ?? []
    t.ok(pid, window.program.stderr.text)
    t.teardown(() =>
      memclient(registry, ['read'])
        .then(() => process.kill(Number(pid), 'SIGKILL'))
        .catch(() => undefined),
    )
    const page = await openPage(t, browser, window.url)
    await sees(page, 'No service AnonymousSharedMemory answered')
    await seesValue(page, 0)
    await takePicture(page, 'started')
    await window.program.destroy()
    t.equal((await memclient(registry, ['read'])).stdout, '0')
    process.kill(Number(pid), 'SIGTERM')
    await support.until(
      async () => (await memclient(registry, ['read'])).code,
      (code) => code === 3,
    )
  })

  await t.test('with --no-start the page says that there is none, and goes on when it is there', async (t) => {
    const registry = support.newRegistryPath(t)
    const page = await openPage(t, browser, (await openWindow(t, registry, { args: ['--no-start'] })).url)
    await seesAlert(page, /No registry at/)
    await click(page, 'Read')
    await seesAlert(page, /There is no service AnonymousSharedMemory yet/)
    t.equal(await fieldText(page), '0', 'as the seed')
    await takePicture(page, 'no-service')
    await startMemsvc(t, { registry })
    await seesValue(page, 0)
  })
})
