/**
 * An etcd cluster, 3.4 or later, through the HTTP gateway of its nodes. All keys have a prefix, which the layers above
 * do not see.
 */
import {
  type Engine,
  EngineError,
  type EngineValue,
  type Page,
  type Position,
  type Transaction,
  type TransactionResult,
  type WatchSink,
} from '../engine/engine.ts'
import type { NodeLimits, TlsOptions } from './asking.ts'
import { faultOf } from './faults.ts'
import { JsonLines } from './json-lines.ts'
import { engineValue, positionOf, type RangeAnswer, type TxnAnswer, type WatchAnswer } from './messages.ts'
import { NODE_LIMITS, Nodes } from './nodes.ts'
import { endOf, longOf, textOf } from './numbers.ts'
import { type Credentials, EtcdSession } from './session.ts'
import { decodeTxn, encodeTxn, TXN_RPC } from './txn-wire.ts'
import { WholeRevisions } from './whole-revisions.ts'

export interface EtcdOptions {
  readonly endpoints: readonly string[]
  /** The prefix of all keys. */
  readonly prefix: string
  readonly tls?: TlsOptions
  readonly credentials?: Credentials | null
  readonly limits?: Partial<NodeLimits>
}

/** Without it a node that has lost the others lets a watch wait forever. */
const WATCH_HEADERS = { 'grpc-metadata-hasleader': 'true' }
const RANGE = '/v3/kv/range'

export class EtcdEngine implements Engine {
  readonly #nodes: Nodes
  readonly #session: EtcdSession
  readonly #prefix: Buffer
  readonly #limits: NodeLimits

  constructor({ endpoints, prefix, tls = {}, credentials = null, limits = {} }: EtcdOptions) {
    this.#limits = { ...NODE_LIMITS, ...limits }
    this.#nodes = new Nodes({ endpoints, tls, limits: this.#limits })
    this.#session = new EtcdSession(this.#nodes, credentials)
    this.#prefix = Buffer.from(prefix)
  }

  get endpoint(): string {
    return this.#nodes.endpoint
  }

  turn(): void {
    this.#nodes.turn()
    this.#session.forget()
  }

  async look(key: Buffer): Promise<Position & { present: EngineValue | null }> {
    const answer = await this.#call<RangeAnswer>(RANGE, { key: this.#keyOf(key) })
    return { ...positionOf(answer.header), present: this.#only(answer) }
  }

  async lookAt(key: Buffer, revision: bigint): Promise<EngineValue | null> {
    return this.#only(await this.#call<RangeAnswer>(RANGE, { key: this.#keyOf(key), revision: String(revision) }))
  }

  async list(after: Buffer | null, at: bigint | null, limit: number): Promise<Page> {
    const from = after === null ? this.#prefix : Buffer.concat([this.#prefix, after, Buffer.of(0)])
    const answer = await this.#session.call<RangeAnswer>(RANGE, {
      key: textOf(from),
      range_end: textOf(endOf(this.#prefix)),
      limit: String(limit),
      ...(at === null ? {} : { revision: String(at) }),
    })
    const { cluster, revision } = positionOf(answer.header)
    const values = (answer.kvs ?? []).map((each) => engineValue(each, this.#prefix.length))
    return { cluster, revision: at ?? revision, values, isLast: answer.more !== true }
  }

  async watch(from: bigint, sink: WatchSink, signal: AbortSignal): Promise<never> {
    const create = {
      key: textOf(this.#prefix),
      range_end: textOf(endOf(this.#prefix)),
      start_revision: String(from),
      // Else one answer has all that was missed: before 3.4.17 the gateway takes 4 MiB of it, and this process has to keep it.
      fragment: true,
    }
    const whole = new WholeRevisions()
    const lines = new JsonLines(this.#limits.answerBytes, (line) => this.#take(line as WatchAnswer, whole, sink))
    const listening = { onBytes: (bytes: Buffer) => lines.take(bytes), signal }
    return this.#session.listen('/v3/watch', { create_request: create }, { ...listening, headers: WATCH_HEADERS })
  }

  async commit(transaction: Transaction, timeoutMs: number): Promise<TransactionResult> {
    const answer = await this.#session.callQuickly<TxnAnswer>({
      path: '/v3/kv/txn',
      message: () => this.#txnOf(transaction),
      timeoutMs,
      rpc: {
        path: TXN_RPC,
        message: () => encodeTxn(transaction, (key) => Buffer.concat([this.#prefix, key])),
        decode: decodeTxn,
      },
    })
    const isDone = answer.succeeded === true
    const responses = answer.responses ?? []
    return {
      ...positionOf(answer.header),
      isDone,
      hasChanged: isDone && responses.some(hasChanged),
      present: isDone ? [] : responses.map(({ response_range }) => this.#only(response_range ?? {})),
    }
  }

  close(): void {
    this.#nodes.close()
  }

  /** What answers with little: within the time for one answer. */
  #call<T>(path: string, message: object, timeoutMs = this.#limits.silenceMs): Promise<T> {
    return this.#session.call<T>(path, message, timeoutMs)
  }

  #take({ result, error }: WatchAnswer, whole: WholeRevisions, sink: WatchSink): void {
    if (error !== undefined) throw faultOf(error.message ?? 'the watch was refused')
    if (result === undefined) return
    const { header, created, canceled, compact_revision, cancel_reason, fragment, events = [] } = result
    if (longOf(compact_revision) > 0n) {
      throw new EngineError('compacted', `etcd no longer has the changes before revision ${compact_revision}`)
    }
    if (canceled === true) throw faultOf(cancel_reason || 'the watch was cancelled')
    const position = positionOf(header)
    if (created === true) sink.onOpen(position)
    if (events.length === 0) return
    const changes = events.map(({ type, kv = {} }) => {
      const { key, revision, value } = engineValue(kv, this.#prefix.length)
      return { key, revision, value: type === 'DELETE' ? null : value }
    })
    const complete = whole.take(changes, fragment === true)
    if (complete.length > 0) sink.onChanges({ ...position, changes: complete })
  }

  /** In the words of the gateway. */
  #txnOf({ conditions, edits, wants = 'revisions' }: Transaction): object {
    return {
      compare: conditions.map(({ key, revision }) => ({
        key: this.#keyOf(key),
        target: 'MOD',
        mod_revision: String(revision),
      })),
      success: edits.map(({ key, value }) =>
        value === null
          ? { request_delete_range: { key: this.#keyOf(key) } }
          : { request_put: { key: this.#keyOf(key), value: textOf(value) } },
      ),
      ...(wants === 'nothing' ? {} : { failure: conditions.map(({ key }) => this.#rangeOf(key, wants)) }),
    }
  }

  #rangeOf(key: Buffer, wants: 'revisions' | 'values'): object {
    return { request_range: { key: this.#keyOf(key), ...(wants === 'values' ? {} : { keys_only: true }) } }
  }

  #keyOf(key: Buffer): string {
    return textOf(Buffer.concat([this.#prefix, key]))
  }

  #only({ kvs = [] }: RangeAnswer): EngineValue | null {
    const [first] = kvs
    return first === undefined ? null : engineValue(first, this.#prefix.length)
  }
}

function hasChanged({ response_put, response_delete_range }: NonNullable<TxnAnswer['responses']>[number]): boolean {
  return response_put !== undefined || longOf(response_delete_range?.deleted) > 0n
}
