/**
 * How etcd's gateway writes what JSON cannot represent: bytes in base64, 64-bit numbers as text, and zero by leaving it
 * out.
 */
export function bytesOf(text: unknown): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.isBuffer(text) ? text : EMPTY
}

export function longOf(text: unknown): bigint {
  if (typeof text === 'bigint') return text
  return typeof text === 'string' && /^\d+$/.test(text) ? BigInt(text) : typeof text === 'number' ? BigInt(text) : 0n
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** The key after all that begin with these bytes. A zero byte: there is none. */
export function endOf(prefix: Buffer): Buffer {
  for (let i = prefix.length - 1; i >= 0; i--) {
    if ((prefix[i] as number) === 0xff) continue
    const end = Buffer.from(prefix.subarray(0, i + 1))
    end[i] = (end[i] as number) + 1
    return end
  }
  return Buffer.of(0)
}

const EMPTY = Buffer.alloc(0)
