/** The page as a person uses it: by what things are called, never by how they are made. */
import type { ElementHandle, JsHandle, Page } from './puppeteer.ts'

/** Waits for it: a button by its name. */
export async function click(page: Page, name: string, role = 'button'): Promise<void> {
  const found = await named(page, name, role)
  await found.click()
}

/** Waits for it. */
export async function named(page: Page, name: string, role: string): Promise<ElementHandle> {
  const found = await page.waitForSelector(`::-p-aria([name="${name}"][role="${role}"])`, { visible: true })
  if (found === null) throw new Error(`there is no ${role} ${name}`)
  return found
}

/** In place of what is in it. */
export async function fill(page: Page, name: string, text: string, role = 'textbox'): Promise<void> {
  const field = await named(page, name, role)
  await field.click()
  await page.keyboard.down('Control')
  await page.keyboard.press('a')
  await page.keyboard.up('Control')
  await page.keyboard.press('Backspace')
  if (text !== '') await field.type(text)
}

/**
 * Resolves once `act`, called in the page with `args`, returns something true. It is asked by a timer: puppeteer would
 * ask at each animation frame, and a page behind another one has none.
 * @returns a handle to what `act` returned
 */
export function waitUntil<A extends unknown[], T>(
  page: Page,
  act: (...args: A) => T,
  ...args: A
): Promise<JsHandle<Awaited<T>>> {
  return page.waitForFunction(act, { polling: 100 }, ...args)
}

/** Waits for the key in the list of a store, and opens its value. */
export async function chooseKey(page: Page, key: string): Promise<void> {
  await waitUntil(
    page,
    (wanted: string) => {
      const buttons = [...document.querySelectorAll<HTMLElement>('.keys button')]
      const button = buttons.find((each) => each.querySelector('.name')?.textContent === wanted)
      button?.click()
      return button !== undefined
    },
    key,
  )
}

/** What is in the value field. */
export function fieldText(page: Page): Promise<string> {
  return page.$eval('input', (input) => input.value)
}

/** Resolves once the page has this text somewhere. */
export async function sees(page: Page, text: string): Promise<void> {
  await waitUntil(page, (wanted: string) => document.body.innerText.includes(wanted), text)
}

/** Resolves once the value that is live in the page is this one. */
export async function seesValue(page: Page, value: number): Promise<void> {
  await waitUntil(page, (wanted: string) => document.querySelector('output')?.textContent === wanted, String(value))
}

/** Resolves once an alert has words that fit. @returns them */
export async function seesAlert(page: Page, pattern: RegExp): Promise<string> {
  const handle = await waitUntil(
    page,
    (source: string) =>
      [...document.querySelectorAll('[role=alert]')]
        .map((each) => each.textContent ?? '')
        .find((text) => new RegExp(source).test(text)),
    pattern.source,
  )
  return (await handle.jsonValue()) as string
}
