/** Asks a daemon for its status in the usual case, without the library. If it gives up, the caller uses `controlOf`. */
import { EXTENSION_TRANSACTION, INTERFACE_TRANSACTION } from '../binder/transaction-codes.ts'
import { HEADER_BYTES, OBJECT_LOCAL_BINDER } from '../channel/message.ts'
import { type QuickAddress, type QuickAnswer, request, tryTalk } from '../service-manager/quick-call.ts'

const CONTROL = 'memsvc.IControl'
const STATUS = 1101
/** In bytes: what comes in one packet. A status of more users and peers is read by the library. */
const MAX_STATUS = 64 * 1024
const OBJECT_BYTES = 24

/** `status` of memsvc.IControl. @returns null: declined. Nothing is left open then either. Never throws */
export function tryReadStatus(address: QuickAddress): Promise<string | null> {
  return tryTalk(address, async (channel) => {
    const { objects, dataSize } = await channel.call({ object: 0, code: EXTENSION_TRANSACTION, words: [] })
    const [extension] = objects
    if (dataSize !== OBJECT_BYTES || extension?.type !== OBJECT_LOCAL_BINDER) return null
    const object = extension.number
    const descriptor = await channel.call({ object, code: INTERFACE_TRANSACTION, words: [] })
    if (readString(descriptor, 0) !== CONTROL) return null
    const answer = await channel.call({ object, code: STATUS, words: request(CONTROL, []) }, MAX_STATUS)
    return answer.packet.readInt32LE(HEADER_BYTES) === 0 ? readString(answer, 4) : null
  })
}

/** The String16 at `at`, which the parcel ends with. null if there is none. */
function readString({ packet, dataSize, objects }: QuickAnswer, at: number): string | null {
  const start = HEADER_BYTES + at
  const units = at + 4 <= dataSize ? packet.readInt32LE(start) : -1
  const end = start + 4 + 2 * units
  const padded = at + 4 + 4 * Math.ceil((units + 1) / 2)
  return units >= 0 && padded === dataSize && objects.length === 0 ? packet.toString('utf16le', start + 4, end) : null
}
