/** A socket that listens in systemd's place, for what a daemon tells. */
import { bind, constants, FdWatcher, type OwnedFd, recvmsg, socket } from 'memfd-native'
import type { Test } from 'tap'

const MAX_MESSAGE_BYTES = 4096

export interface Notice {
  /** NAME=VALUE, one each. */
  readonly lines: readonly string[]
  readonly fds: readonly OwnedFd[]
}

export class NotifyListener {
  readonly #socket: OwnedFd

  /** @param path a leading NUL means the abstract namespace */
  constructor(t: Test, path: string) {
    this.#socket = socket(constants.SOCK_DGRAM)
    t.teardown(() => this.#socket.close())
    bind(this.#socket, path)
  }

  /** The next notice; waits for it. */
  async next(): Promise<Notice> {
    await this.#readable()
    const { data, fds } = recvmsg(this.#socket, MAX_MESSAGE_BYTES, 1)
    return { lines: data.toString().split('\n'), fds }
  }

  /** The next notice with this line, whatever comes before. */
  async find(line: string): Promise<Notice> {
    for (;;) {
      const notice = await this.next()
      if (notice.lines.includes(line)) return notice
      for (const fd of notice.fds) fd.close()
    }
  }

  #readable(): Promise<void> {
    return new Promise((resolve) => {
      const watcher = new FdWatcher(this.#socket, 'readable', () => {
        watcher.close()
        resolve()
      })
    })
  }
}
