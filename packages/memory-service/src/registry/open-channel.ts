/** Makes a channel between a client and a service, and gives both their end. Afterwards the registry holds neither. */
import { DeadObjectError, errorCode, type IBinder } from '@memsvc/shared'
import {
  type Caller,
  type FoundService,
  makeChannelPair,
  sendAttachment,
  withinDescriptorLimit,
} from '@memsvc/shared/internal'

export interface ChannelParties {
  readonly holder: Caller
  readonly client: Caller
  readonly acceptsFileDescriptors: boolean
}

/**
 * The service gets its end before the client gets its answer, so the client's first packet cannot arrive too early.
 * @returns the client's end, which the caller owns; undefined if the service is ending
 * @throws ERR_LIMIT if the service does not read, or if no descriptor is left
 */
export function openChannel(service: IBinder, parties: ChannelParties): FoundService {
  const { holder, client, acceptsFileDescriptors } = parties
  const pair = withinDescriptorLimit(() => makeChannelPair(acceptsFileDescriptors))
  try {
    sendAttachment(service, { client, end: pair.server }, acceptsFileDescriptors)
    return { kind: 'channel', acceptsFileDescriptors, ...holder, end: pair.client }
  } catch (error) {
    pair.client.close()
    if (errorCode(error) === new DeadObjectError().code) return { kind: 'none' }
    throw error
  }
}
