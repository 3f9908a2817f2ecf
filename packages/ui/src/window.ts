/** The window as a whole: a server for one page, what the page shows, and a daemon where there was none. */
import { DEFAULT_SERVICE_NAME, DEFAULT_STORE_NAME } from '@memsvc/shared'
import { findRegistry, type RegistryChoice } from '@memsvc/shared/internal'
import { Model } from './model/model.ts'
import { WebServer } from './server/web-server.ts'
import { openBrowser } from './start/browser.ts'
import { Starter } from './start/daemon.ts'

/** What a window shows. */
export interface WindowOptions {
  /** Where the registry is. */
  registry?: RegistryChoice
  /** The name of the value that it shows first. Default: AnonymousSharedMemory. */
  name?: string
  /** The name of the store that it shows first. Default: SharedStore. */
  store?: string
  /** The port on 127.0.0.1; 0 means a free one. */
  port?: number
  /** Whether to start a daemon if none answers. Default: true. */
  startsDaemon?: boolean
  /** Whether to open a browser. Default: false. */
  opensBrowser?: boolean
  /** Called with each line that the user should read. */
  tell?: (line: string) => void
}

/** A window that is being served. */
export interface Window {
  /** Its address, with a token that works once. */
  readonly url: string
  /** Closes its pages, connections and mappings. A daemon that it started keeps running. */
  close(): void
}

/**
 * Serves a window for the browser, on 127.0.0.1 only. It keeps the process alive until you close it.
 * @throws ERR_INVALID_ARG_VALUE for a registry that cannot exist; EADDRINUSE or EACCES for the port
 */
export async function openWindow(options: WindowOptions = {}): Promise<Window> {
  const { registry = {}, name = DEFAULT_SERVICE_NAME, store = DEFAULT_STORE_NAME, port = 0 } = options
  const { startsDaemon = true, opensBrowser = false, tell = () => undefined } = options
  const place = findRegistry(registry)
  const starter = startsDaemon ? new Starter({ registry, path: place.path, name }) : null
  const server = await WebServer.listen(port)
  try {
    const notice = (await starter?.start())?.said ?? null
    if (notice !== null) tell(notice)
    const model = new Model({ registry, path: place.path, name, store, notice, starter })
    server.serve(model)
    const browser = opensBrowser ? openBrowser(server.url, tell) : null
    return {
      url: server.url,
      close: () => {
        browser?.close()
        model.close()
        server.close()
      },
    }
  } catch (error) {
    server.close()
    throw error
  }
}
