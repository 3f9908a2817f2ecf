import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** An empty folder with a path short enough for sockets in it, removed at the end of the test. */
export function tempFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'memfd-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}
