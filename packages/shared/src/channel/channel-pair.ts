/** The two ends of a new channel, as the registry makes them. */
import { constants, type OwnedFd, setPassCredentials, setPassRights, socketpair } from 'memfd-native'

export interface ChannelPair {
  /** Owned by the caller. */
  readonly server: OwnedFd
  /** Owned by the caller. */
  readonly client: OwnedFd
}

/**
 * A connected pair whose server end names the sender of each packet (SO_PASSCRED) and, unless the service wants them,
 * accepts no descriptors (SO_PASSRIGHTS off, where the kernel has it; elsewhere the channel's own check stands). Both
 * are set before either end leaves this process, so nothing can be queued earlier.
 * @throws SyscallError EMFILE, ENFILE
 */
export function makeChannelPair(serverAcceptsFileDescriptors: boolean): ChannelPair {
  const [server, client] = socketpair(constants.SOCK_SEQPACKET)
  try {
    setPassCredentials(server, true)
    if (!serverAcceptsFileDescriptors) setPassRights(server, false)
    return { server, client }
  } catch (error) {
    server.close()
    client.close()
    throw error
  }
}
