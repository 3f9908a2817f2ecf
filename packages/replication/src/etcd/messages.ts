/**
 * The messages of etcd's gateway that are used here. A missing number is 0. Messages over gRPC have the same form, but
 * with bytes and numbers instead of text.
 */
import type { EngineValue, Position } from '../engine/engine.ts'
import { bytesOf, longOf } from './numbers.ts'

export interface Header {
  readonly cluster_id?: string
  readonly revision?: string | bigint
}

export interface KeyValue {
  readonly key?: string | Buffer | undefined
  readonly value?: string | Buffer | undefined
  readonly mod_revision?: string | bigint
}

export interface RangeAnswer {
  readonly header?: Header
  readonly kvs?: readonly KeyValue[]
  readonly more?: boolean
}

export interface TxnAnswer {
  readonly header?: Header
  readonly succeeded?: boolean
  readonly responses?: readonly {
    readonly response_put?: object
    readonly response_delete_range?: { readonly deleted?: string | bigint }
    readonly response_range?: RangeAnswer
  }[]
}

export interface WatchAnswer {
  readonly result?: {
    readonly header?: Header
    readonly created?: boolean
    readonly canceled?: boolean
    readonly compact_revision?: string
    readonly cancel_reason?: string
    readonly fragment?: boolean
    readonly events?: readonly { readonly type?: string; readonly kv?: KeyValue }[]
  }
  readonly error?: { readonly message?: string; readonly grpc_code?: number }
}

export function positionOf(header: Header | undefined): Position {
  return { cluster: header?.cluster_id ?? '', revision: longOf(header?.revision) }
}

export function engineValue({ key, value, mod_revision }: KeyValue, prefixBytes: number): EngineValue {
  return { key: bytesOf(key).subarray(prefixBytes), revision: longOf(mod_revision), value: bytesOf(value) }
}
