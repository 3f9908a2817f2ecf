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
 * The service has its end before the client is answered, so the client's first packet cannot come too early.
 * @returns the client's end, owned by the caller; nothing when the service is dying
 * @throws ERR_LIMIT the service does not read what it is sent, or there is no descriptor left
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
