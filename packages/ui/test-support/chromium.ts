/** Debian's Chromium, driven by puppeteer. One browser for a test file; each test has windows, or a profile, of its own. */
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { watchdog } from '@memsvc/shared/test-support'
import type { Test } from 'tap'
import { type Browser, hasPuppeteer, launch, type Page } from './puppeteer.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions']
/** A loaded machine is slow; what never comes is the watchdog's. */
const PATIENCE_MS = 600_000
const FILE_MS = 1_500_000
/** Looked at by people; not committed. */
const PICTURES = fileURLToPath(new URL('../../../../.tap/window', import.meta.url))

/** Files of tests that drive a browser may take long where others work too: nothing in them is about time. */
export function patient(t: Test): void {
  t.setTimeout(FILE_MS)
  watchdog(t, FILE_MS)
}

/** For a test's `skip`. */
export const noChromium: string | false =
  CHROMIUM === undefined
    ? 'needs Chromium (Debian: chromium)'
    : hasPuppeteer
      ? false
      : 'needs puppeteer-core, which npm test fetches'

/** Closed with the test. */
export async function startChromium(t: Test, args: readonly string[] = []): Promise<Browser> {
  const browser = await launch({
    executablePath: CHROMIUM as string,
    args: [...ARGS, ...args],
    timeout: PATIENCE_MS,
    protocolTimeout: PATIENCE_MS,
  })
  t.teardown(async () => {
    const child = browser.process()
    // Its pipes too: `close()` does not wait for them.
    const gone = child === null || child.exitCode !== null ? null : once(child, 'close')
    await browser.close()
    await gone
  })
  return browser
}

/** A page that shows this address, in a profile of its own. What goes wrong in it fails the test. */
export async function openPage(t: Test, browser: Browser, url: string): Promise<Page> {
  const context = await browser.createBrowserContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  page.on('pageerror', (error) => t.fail(`an error in the page: ${(error as Error).message}`))
  await page.setViewport({ width: 1280, height: 900 })
  await page.goto(url)
  return page
}

/** For people to look at. */
export async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}
