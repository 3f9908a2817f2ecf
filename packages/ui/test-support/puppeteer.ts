/** Of puppeteer-core what the tests use. `npm test` fetches it into .tools: the rest of the workspace does without its 60 packages. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const TOOLS = fileURLToPath(new URL('../../../../.tools/', import.meta.url))
const FOLDER = existsSync(TOOLS) ? readdirSync(TOOLS).find((name) => /^puppeteer-core@[\d.]+$/.test(name)) : undefined

/** Whether it was fetched. */
export const hasPuppeteer: boolean = FOLDER !== undefined

export function launch(options: LaunchOptions): Promise<Browser> {
  const path = `${TOOLS}${FOLDER}/node_modules/puppeteer-core`
  const puppeteer = createRequire(import.meta.url)(path) as { default: { launch: typeof launch } }
  return puppeteer.default.launch(options)
}

export interface LaunchOptions {
  readonly executablePath: string
  readonly args: readonly string[]
  /** Milliseconds. */
  readonly timeout: number
  /** Milliseconds. */
  readonly protocolTimeout: number
}

export interface Browser {
  /** Null: it was not started here. */
  process(): ChildProcess | null
  createBrowserContext(): Promise<BrowserContext>
  close(): Promise<void>
}

interface BrowserContext {
  newPage(): Promise<Page>
  close(): Promise<void>
}

/** Of a value in the page. */
export interface JsHandle<T> {
  jsonValue(): Promise<T>
}

export interface ElementHandle {
  click(): Promise<void>
  type(text: string): Promise<void>
}

interface Keyboard {
  down(key: string): Promise<void>
  up(key: string): Promise<void>
  press(key: string): Promise<void>
  type(text: string): Promise<void>
}

/** What runs in the page: its text is sent there. */
type InPage<A extends unknown[], T> = (...args: A) => T

export interface Page {
  readonly keyboard: Keyboard
  $(selector: string): Promise<ElementHandle | null>
  $eval<T>(selector: string, read: (element: HTMLInputElement) => T): Promise<T>
  browserContext(): BrowserContext
  close(): Promise<void>
  emulateMediaFeatures(features: readonly { name: string; value: string }[]): Promise<void>
  evaluate(script: string): Promise<unknown>
  evaluate<A extends unknown[], T>(act: InPage<A, T>, ...args: A): Promise<Awaited<T>>
  focus(selector: string): Promise<void>
  content(): Promise<string>
  goto(url: string): Promise<{ status(): number } | null>
  on(event: 'pageerror', listener: (error: unknown) => void): unknown
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>
  setDefaultTimeout(milliseconds: number): void
  setViewport(size: { width: number; height: number }): Promise<void>
  url(): string
  waitForFunction<A extends unknown[], T>(
    act: InPage<A, T>,
    options?: object,
    ...args: A
  ): Promise<JsHandle<Awaited<T>>>
  waitForSelector(selector: string, options?: { visible?: boolean }): Promise<ElementHandle | null>
}
