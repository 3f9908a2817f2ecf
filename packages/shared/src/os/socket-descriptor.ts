import type { Socket } from 'node:net'
import { checkNotNull, show } from '../util/check.ts'
import { IllegalStateError, InvalidArgTypeError } from '../util/errors.ts'
import { nodeNet } from '../util/late-modules.ts'

/**
 * The descriptor number of a TCP or Unix socket of Node, which still owns it. Node keeps it in the handle. This is not
 * a public API, but it has had this shape since Node 0.12, and there is no other way.
 * @throws ERR_ILLEGAL_STATE if there is none, because the socket is not connected yet, or destroyed
 */
export function socketDescriptor(socket: Socket): number {
  checkNotNull('socket', socket)
  if (!(socket instanceof nodeNet().Socket))
    throw new InvalidArgTypeError(`socket must be a net.Socket, got ${show(socket)}`)
  const handle = Reflect.get(socket, '_handle') as { fd?: number } | null
  const fd = handle?.fd ?? -1
  if (fd < 0) throw new IllegalStateError('the socket has no descriptor: it is not connected yet, or destroyed')
  return fd
}
