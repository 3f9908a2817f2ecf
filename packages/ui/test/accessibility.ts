/** Everybody can use it: axe finds nothing, the keyboard reaches everything, and a phone has room for it. */
import { leakChecked } from '@memsvc/shared/test-support'
import axe from 'axe-core'
import t from 'tap'
import * as support from '../test-support/index.ts'

const { click, fill, memclient, noChromium, openPage, openWindow, sees, seesValue, startChromium, startMemsvc } =
  support

support.patient(t)
leakChecked(t)

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
}

/** What is wrong, a line each. */
async function problems(page: support.Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

t.test('the page for everybody', { skip: noChromium }, async (t) => {
  const browser = await startChromium(t)
  const { registry } = await startMemsvc(t)
  await memclient(registry, ['put', 'app/config', '{"a":[1,2,3]}'])

  for (const scheme of ['light', 'dark'] as const) {
    await t.test(`axe finds nothing, ${scheme}`, async (t) => {
      const page = await openPage(t, browser, (await openWindow(t, registry)).url)
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await seesValue(page, 0)
      await fill(page, 'Value', 'x')
      await click(page, 'Write')
      await support.seesAlert(page, /not a whole number/)
      t.strictSame(await problems(page), [])
      await support.takePicture(page, `value-${scheme}`)
      await click(page, 'Store', 'tab')
      await sees(page, 'app/config')
      await support.chooseKey(page, 'app/config')
      await sees(page, 'revision')
      t.strictSame(await problems(page), [])
      await support.takePicture(page, `store-${scheme}`)
      await click(page, 'Memory', 'tab')
      await page.waitForSelector('.picture svg')
      t.strictSame(await problems(page), [])
      await support.takePicture(page, `memory-${scheme}`)
    })
  }

  await t.test('a phone shows all of it without scrolling sideways', async (t) => {
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    await page.setViewport({ width: 360, height: 740 })
    await seesValue(page, 0)
    for (const tab of ['Value', 'Store', 'Memory']) {
      await click(page, tab, 'tab')
      await page.waitForSelector(`#panel-${tab.toLowerCase()}:not([hidden])`)
      if (tab === 'Memory') await page.waitForSelector('.picture svg')
      const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      t.ok((wide ?? 0) <= (window ?? 0), `${tab}: ${wide} of ${window}`)
      await support.takePicture(page, `phone-${tab.toLowerCase()}`)
    }
  })

  await t.test('the keyboard alone writes a value, and changes between the tabs', async (t) => {
    const page = await openPage(t, browser, (await openWindow(t, registry)).url)
    await seesValue(page, 0)
    await page.focus('[role=tab][aria-selected=true]')
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate(() => document.activeElement?.id), 'value-field')
    await page.keyboard.type('12')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await seesValue(page, 12)
    await page.focus('[role=tab][aria-selected=true]')
    await page.keyboard.press('ArrowRight')
    await page.waitForSelector('#panel-store:not([hidden])')
    t.equal(await page.evaluate(() => document.activeElement?.id), 'tab-store')
  })
})
