/**
 * Opens a browser. Every user can see command lines in /proc, and the address contains a token. So the browser gets a
 * file that only this user can read, which leads to the address.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** By then the browser has read it. */
const FILE_MS = 60_000

export interface OpenedBrowser {
  /** Removes the file. */
  close(): void
}

export function openBrowser(url: string, tell: (line: string) => void): OpenedBrowser {
  const folder = mkdtempSync(join(tmpdir(), 'memclient-ui-')) // 0700
  const file = join(folder, 'open.html')
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${url}">`, {
    mode: 0o600,
  })
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const timer = setTimeout(remove, FILE_MS).unref()
  process.once('exit', remove) // most windows end by Ctrl-C
  const opener = spawn('xdg-open', [file], { detached: true, stdio: 'ignore' })
  const fail = (why: string) => tell(`no browser could be opened (xdg-open ${why}): open the address yourself`)
  opener.once('error', () => fail('is not installed'))
  opener.once('exit', (code) => {
    if (code !== 0) fail(code === null ? 'was ended' : `ended with ${code}`) // xdg-open(1): 3 there is none, 4 it failed
  })
  opener.unref()
  return {
    close: () => {
      clearTimeout(timer)
      process.off('exit', remove)
      remove()
    },
  }
}
