/** The kind of channel that the registry serves, as a raw end. */
import { RawPeer } from '@memsvc/shared/test-support'
import { connect, constants, socket } from 'memfd-native'
import type { Test } from 'tap'

/** A connection to the registry that has said nothing yet. */
export function openConnection(t: Test, registry: string): RawPeer {
  const fd = socket(constants.SOCK_SEQPACKET)
  const peer = new RawPeer(t, fd)
  connect(fd, registry)
  return peer
}
