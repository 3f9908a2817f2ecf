/**
 * What the copy needs from an engine, and how an engine fails. `etcd/` is the only engine; the tests have another one,
 * which can be made to fail. A revision is the engine's and counts the changes of all keys. Keys are those of the
 * store, without the prefix.
 */

/** Where the answer comes from. */
export interface Position {
  /** Which cluster it is: another one has another history. */
  readonly cluster: string
  /** The revision of the cluster at the time of the answer. */
  readonly revision: bigint
}

/** A value as the engine has it. */
export interface EngineValue {
  readonly key: Buffer
  /** The revision of the change that wrote it. */
  readonly revision: bigint
  readonly value: Buffer
}

/** One change; `value` null: it was deleted. */
export interface EngineChange {
  readonly key: Buffer
  readonly revision: bigint
  readonly value: Buffer | null
}

/** What one answer of a watch has: whole revisions, in their order. */
export interface EngineChanges extends Position {
  readonly changes: readonly EngineChange[]
}

/** A part of all values, in the order of their keys, as they were at one revision. */
export interface Page extends Position {
  readonly values: readonly EngineValue[]
  readonly isLast: boolean
}

/** A change that is asked for. */
export interface EngineEdit {
  readonly key: Buffer
  /** Null: it is deleted. */
  readonly value: Buffer | null
}

export interface Transaction {
  /** All conditions must hold: a key has this revision, or with 0n no value. */
  readonly conditions: readonly { readonly key: Buffer; readonly revision: bigint }[]
  readonly edits: readonly EngineEdit[]
  /** Of each condition's key, with a conflict. Less costs less. */
  readonly wants?: 'nothing' | 'revisions' | 'values'
}

export interface TransactionResult extends Position {
  readonly isDone: boolean
  /** False: there was nothing to change. */
  readonly hasChanged: boolean
  /** After a conflict, if requested: what each condition's key has; null if it has no value. */
  readonly present: readonly (EngineValue | null)[]
}

/** A failure of the engine, and what is known about it. */
export type EngineFault =
  /** Nothing has happened: nobody was reached. */
  | 'unsent'
  /** Nobody has answered: it may have happened. */
  | 'unknown'
  /** The history goes not so far back any more. */
  | 'compacted'
  /** This user may not do that, or is not known. */
  | 'denied'
  /** The engine has no space left. */
  | 'full'
  /** Too long for the engine, or for a page. */
  | 'tooLarge'
  /** Other refusals of the engine: the change was not made. */
  | 'refused'

export class EngineError extends Error {
  readonly fault: EngineFault

  constructor(fault: EngineFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

export interface WatchSink {
  /** From here on changes come. */
  onOpen(position: Position): void
  onChanges(changes: EngineChanges): void
}

export interface Engine {
  /** A read that the whole cluster agrees on. With `key` also what that has. */
  look(key: Buffer): Promise<Position & { readonly present: EngineValue | null }>
  /**
   * What the key had at that revision.
   * @throws compacted or refused if there is no such revision
   */
  lookAt(key: Buffer, revision: bigint): Promise<EngineValue | null>
  /** @param at null: the present revision, on which the whole cluster agrees. @throws compacted, tooLarge */
  list(after: Buffer | null, at: bigint | null, limit: number): Promise<Page>
  /** All changes from that revision on. Ends only by an error, or by the signal. @throws compacted */
  watch(from: bigint, sink: WatchSink, signal: AbortSignal): Promise<never>
  commit(transaction: Transaction, timeoutMs: number): Promise<TransactionResult>
  /** Turns to another node, if there is one. */
  turn(): void
  /** The node that is asked. */
  readonly endpoint: string
  close(): void
}
