/** One transaction of an area: each value gets a block, and one commit makes all of them visible. */
import type { AreaEdit, AreaWriter } from 'memfd-native'

/** Something to put, or to delete: bytes that are copied now, or a block that was filled before. */
export interface Put {
  readonly key: string
  /** `areaTypes`: BYTES or JSON */
  readonly type: number
  /** Null, without a block: the key is deleted. */
  readonly bytes: Uint8Array | null
  /** From `reserve`; 0: `bytes` are put. If the transaction fails, the caller still owns the block. */
  readonly block: number
}

/** All of them, or none. @returns the version, 0n: nothing has changed; or why there is no room, of `areaWriteCodes` */
export function commitPuts(writer: AreaWriter, puts: readonly Put[]): bigint | number {
  const edits: AreaEdit[] = []
  const own: number[] = []
  const result = fillBlocks(writer, puts, edits, own)
  const version = result < 0 ? result : writer.commit(edits)
  if (typeof version === 'number') for (const block of own) writer.abandon(block)
  return version
}

/** @param own gets the blocks that this reserves. @returns 0, or why there is no room */
function fillBlocks(writer: AreaWriter, puts: readonly Put[], edits: AreaEdit[], own: number[]): number {
  for (const { key, type, bytes, block } of puts) {
    if (bytes === null || block > 0) {
      edits.push({ key, block })
      continue
    }
    const made = writer.reserve(bytes.length, type)
    if (made < 0) return made
    own.push(made)
    writer.write(made, 0, bytes)
    edits.push({ key, block: made })
  }
  return 0
}
