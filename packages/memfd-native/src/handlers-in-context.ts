/** The handlers of the hub's users, each run in the async context in which it was given. */
import { captureContext } from './async-context.ts'
import type { ConnectionHandler, PacketHandler } from './handlers.ts'

const NAME = 'memfd-native:Hub'

/** As it is called by the hub: what its methods are is looked up at each call, as ever. */
export function packetHandlerInContext(handler: PacketHandler): PacketHandler {
  const context = captureContext(NAME)
  return {
    onPacket: (packet) => context.runInAsyncScope(() => handler.onPacket(packet)),
    onEnd: (errno) => context.runInAsyncScope(() => handler.onEnd(errno)),
    onWritable: () => context.runInAsyncScope(() => handler.onWritable()),
    onUnsent: (bytes, errno) => context.runInAsyncScope(() => handler.onUnsent?.(bytes, errno)),
  }
}

/** The same for a listener. If the handler has no `refuse`, this has none either, and it is not called. */
export function connectionHandlerInContext(handler: ConnectionHandler): ConnectionHandler {
  const context = captureContext(NAME)
  const inContext: ConnectionHandler = {
    onConnection: (fd, credentials) => context.runInAsyncScope(() => handler.onConnection(fd, credentials)),
    onAcceptFailed: (errno) => context.runInAsyncScope(() => handler.onAcceptFailed(errno)),
  }
  if (handler.refuse !== undefined)
    inContext.refuse = (uid) => context.runInAsyncScope(() => handler.refuse?.(uid) ?? null)
  return inContext
}
