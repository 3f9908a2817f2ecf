/**
 * The answer to a request without the secret: 403 and a short text. In another tab of a browser that has the window
 * open, it offers the way to it.
 */
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Refusal } from './guard.ts'
import { policy } from './headers.ts'

const WORDS: Readonly<Record<Refusal, string>> = {
  host: 'This name is not the address of the window.',
  origin: 'Another page may not ask here.',
  used: 'This address was good once, and has been used.',
  secret: 'This is not the address of the window.',
}

/** The page leaves its path where only pages of this origin, port included, can read it: in another window it leads there. */
const SCRIPT = `
const kept = localStorage.getItem('memsvc-window')
if (location.pathname === '/' && kept) location.replace(kept)
else localStorage.removeItem('memsvc-window')`

const HASH = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`

export function refuse(response: ServerResponse, refusal: Refusal): void {
  const isMistake = refusal === 'used' || refusal === 'secret'
  response.writeHead(403, { ...policy(isMistake ? HASH : "'none'"), 'content-type': 'text/html; charset=utf-8' })
  const advice = isMistake ? '<p>Run <code>memclient ui</code>, and open the address that it prints.</p>' : ''
  const script = isMistake ? `<script>${SCRIPT}</script>` : ''
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>memsvc: refused</title><main><h1>Refused</h1><p>${WORDS[refusal]}</p>${advice}</main>${script}</html>`,
  )
}
