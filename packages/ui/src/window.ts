/** The window as a whole: a server for one page, what the page shows, and a daemon where there was none. */
import { DEFAULT_SERVICE_NAME, DEFAULT_STORE_NAME } from '@memsvc/shared'
import { findRegistry, type RegistryChoice } from '@memsvc/shared/internal'
import { Model } from './model/model.ts'
import { WebServer } from './server/web-server.ts'
import { openBrowser } from './start/browser.ts'
import { Starter } from './start/daemon.ts'

/** Which window. */
export interface WindowOptions {
  /** Where the registry is. */
  registry?: RegistryChoice
  /** The value that it begins with. Default: AnonymousSharedMemory. */
  name?: string
  /** The store that it begins with. Default: SharedStore. */
  store?: string
  /** Of 127.0.0.1; 0: a free one. */
  port?: number
  /** Whether a daemon is started where none answers. Default: yes. */
  startsDaemon?: boolean
  /** Whether a browser is opened. Default: no. */
  opensBrowser?: boolean
  /** Told what people should know, a line each. */
  tell?: (line: string) => void
}

/** A window that is open. */
export interface Window {
  /** Its address, with a token that is good once. */
  readonly url: string
  /** Closes it: pages, connections, mappings. A daemon that was started goes on. */
  close(): void
}

/**
 * Opens a window, on 127.0.0.1 only. Keeps the process alive until it is closed.
 * @throws ERR_INVALID_ARG_VALUE no such registry can be; EADDRINUSE, EACCES the port
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
