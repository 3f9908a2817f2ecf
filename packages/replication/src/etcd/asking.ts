/** A request to one node, by gateway or gRPC, and its answer. */
import type { EngineError } from '../engine/engine.ts'

/** An idle connection is kept for so long. */
export const KEPT_MS = 60_000
/** Of silence, after which the kernel asks whether the other side is there. */
export const PROBE_MS = 1000

export interface TlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface NodeLimits {
  /** Until a node is reached. Milliseconds. */
  readonly connectMs: number
  /** Until it goes on answering. */
  readonly silenceMs: number
  /** Of one answer, in bytes. */
  readonly answerBytes: number
}

export interface NodeOptions {
  readonly endpoint: string
  readonly tls: TlsOptions
  readonly limits: NodeLimits
}

/** The caller of a request. It gets the answer and then its end, or a failure, and nothing after that. */
export interface Asker {
  onHead(status: number): void
  /** A piece of the body. An error that this throws ends the request. */
  onBody(bytes: Buffer): void
  onEnd(): void
  onFailure(error: EngineError): void
}

/** Fails the request with this reason. Does nothing if it has ended already. */
export type GiveUp = (why: string) => void
