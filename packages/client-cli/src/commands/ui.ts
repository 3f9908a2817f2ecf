/** `memclient ui [NAME]`: the window, a package of its own that is loaded only here. */
import { errorCode } from '@memsvc/shared'
import { EXIT, type ExitCode, plainText, ToolError } from '@memsvc/shared/internal'
import type { Context } from './context.ts'

const MAX_PORT = 65_535

/** Prints the address, and serves the page until it is interrupted. */
export async function ui(context: Context, name?: string): Promise<ExitCode> {
  const { options, registry, json, tell } = context
  const port = readPort(options.port)
  const { openWindow } = await loadWindow(context)
  const { url } = await openWindow({
    registry,
    port,
    ...(name !== undefined && { name }),
    ...(options.store !== undefined && { store: options.store }),
    startsDaemon: options.start !== false,
    opensBrowser: options.open === true,
    tell: (line) => tell(`memclient: ${plainText(line)}`),
  })
  const print = context.untilInterrupted()
  await print(json ? JSON.stringify({ url }) : url)
  return new Promise(() => undefined) // until then
}

/** @throws ToolError it is not installed, with what to do */
async function loadWindow({ importWindow }: Context): ReturnType<Context['importWindow']> {
  try {
    return await importWindow()
  } catch (cause) {
    if (!errorCode(cause)?.endsWith('MODULE_NOT_FOUND')) throw cause
    const advice = 'npm install @memsvc/ui, beside memclient (globally: npm install -g @memsvc/ui)'
    throw new ToolError(EXIT.failed, `the window needs the package @memsvc/ui, which is not installed: ${advice}`, {
      cause,
    })
  }
}

/** @throws ToolError with EXIT.usage if it is not a port */
function readPort(text: string | undefined): number {
  if (text === undefined) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= MAX_PORT) return port
  throw new ToolError(EXIT.usage, `--port must be a number up to ${MAX_PORT}; got ${JSON.stringify(text)}`)
}
