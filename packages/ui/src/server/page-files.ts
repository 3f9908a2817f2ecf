/** The files of the page, which the build has made. */
import { existsSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { policy } from './headers.ts'

/** By their path below the secret. No path of a request ever becomes one of the file system. */
const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '': { file: 'index.html', type: 'text/html; charset=utf-8' },
  'app.js': { file: 'app.js', type: 'text/javascript; charset=utf-8' },
  'style.css': { file: 'style.css', type: 'text/css; charset=utf-8' },
  'icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
}

export function sendFile(path: string, { method }: IncomingMessage, response: ServerResponse): void {
  const [name = ''] = path.split('?', 1)
  const known = Object.hasOwn(FILES, name) ? FILES[name] : undefined
  if (known === undefined) response.writeHead(404, policy()).end('there is nothing here\n')
  else if (method !== 'GET') response.writeHead(405, { ...policy(), allow: 'GET' }).end()
  else {
    response.writeHead(200, { ...policy(), 'content-type': known.type })
    response.end(readFileSync(join(pageFolder(), known.file)))
  }
}

/** This code is in a bundle, or in a folder. */
function pageFolder(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return join(folder, 'dist/page')
}
