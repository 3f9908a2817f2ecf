/** A transaction in the words of etcd's gRPC (`etcdserverpb.TxnRequest`, rpc.proto), and its answer in those of the gateway, which the rest knows. */
import type { Transaction } from '../engine/engine.ts'
import type { KeyValue, RangeAnswer, TxnAnswer } from './messages.ts'
import { bytesIn, decoded, encoded, type Fields, longIn, messagesIn } from './protobuf.ts'

export const TXN_RPC = '/etcdserverpb.KV/Txn'

/** CompareTarget */
const MOD = 2

/** @param keyOf a key as it is in etcd */
export function encodeTxn(
  { conditions, edits, wants = 'revisions' }: Transaction,
  keyOf: (key: Buffer) => Buffer,
): Buffer {
  const compare = conditions.map(({ key, revision }) =>
    encoded([
      [2, MOD],
      [3, keyOf(key)],
      [6, revision],
    ]),
  )
  const success = edits.map(({ key, value }) =>
    value === null
      ? encoded([[3, encoded([[1, keyOf(key)]])]])
      : encoded([
          [
            2,
            encoded([
              [1, keyOf(key)],
              [2, value],
            ]),
          ],
        ]),
  )
  const failure =
    wants === 'nothing'
      ? []
      : conditions.map(({ key }) => encoded([[1, encoded([[1, keyOf(key)], ...keysOnly(wants)])]]))
  return encoded([
    ...compare.map((each) => [1, each] as const),
    ...success.map((each) => [2, each] as const),
    ...failure.map((each) => [3, each] as const),
  ])
}

function keysOnly(wants: 'revisions' | 'values'): (readonly [number, number])[] {
  return wants === 'values' ? [] : [[8, 1]]
}

/** @throws Error if it is not an answer to a transaction */
export function decodeTxn(bytes: Buffer): TxnAnswer {
  const answer = decoded(bytes)
  const [header = new Map()] = messagesIn(answer, 1)
  return {
    header: { cluster_id: String(BigInt.asUintN(64, longIn(header, 1))), revision: longIn(header, 3) },
    succeeded: longIn(answer, 2) === 1n,
    responses: messagesIn(answer, 3).map(responseOf),
  }
}

function responseOf(response: Fields): NonNullable<TxnAnswer['responses']>[number] {
  const [range] = messagesIn(response, 1)
  if (range !== undefined) return { response_range: rangeOf(range) }
  const [deleted] = messagesIn(response, 3)
  return deleted === undefined ? { response_put: {} } : { response_delete_range: { deleted: longIn(deleted, 2) } }
}

function rangeOf(range: Fields): RangeAnswer {
  return {
    kvs: messagesIn(range, 2).map(
      (each): KeyValue => ({
        key: bytesIn(each, 1),
        mod_revision: longIn(each, 3),
        value: bytesIn(each, 5),
      }),
    ),
  }
}
