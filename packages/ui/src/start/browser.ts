/**
 * Opens a browser. Whoever looks into /proc sees the words of every command line, and the address has a token in it: so the browser is
 * given a file that only this user can read, and that leads there.
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
  const opener = spawn('xdg-open', [file], { detached: true, stdio: 'ignore' })
  opener.once('error', () => tell('no browser could be opened (xdg-open): open the address yourself'))
  opener.unref()
  return {
    close: () => {
      clearTimeout(timer)
      remove()
    },
  }
}
