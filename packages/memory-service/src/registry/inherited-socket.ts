/**
 * The endpoint of a host whose socket systemd has bound. memsvc must neither remove nor make it, and there is no lock.
 * If the path leads elsewhere, it can only report that.
 */
import type { Stats } from 'node:fs'
import { IllegalStateError } from '@memsvc/shared'
import { fileBehind, isSameFile } from '../process/same-file.ts'
import type { RegistryEndpoint } from './registry-endpoint.ts'

export class InheritedSocket implements RegistryEndpoint {
  readonly #path: string
  readonly #socket: Stats | null

  /** @throws ERR_ILLEGAL_STATE nothing is at the path; errors of stat(2) */
  constructor(path: string) {
    this.#path = path
    this.#socket = fileBehind(path)
    if (this.#socket?.isSocket() !== true) throw new IllegalStateError(goneFrom(path))
  }

  get isInPlace(): boolean {
    return isSameFile(this.#socket, fileBehind(this.#path))
  }

  restore(): null {
    throw new IllegalStateError(goneFrom(this.#path))
  }

  removeSocket(): void {}

  close(): void {}
}

function goneFrom(path: string): string {
  return (
    `the socket that systemd made is no longer at ${path}, and only systemd can make it again: ` +
    'systemctl restart memsvc.socket (of your own systemd: systemctl --user restart memsvc.socket)'
  )
}
