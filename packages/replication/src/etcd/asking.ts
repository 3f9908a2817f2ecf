/** What it takes to ask one node, by whichever way, and to hear of its answer. */
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

/** Who asks, and hears of the answer: of its end, or of what failed, and of nothing afterwards. */
export interface Asker {
  onHead(status: number): void
  /** Of the body. @throws ends it: that is what failed */
  onBody(bytes: Buffer): void
  onEnd(): void
  onFailure(error: EngineError): void
}

/** Whoever has asked is told why, now. Harmless afterwards. */
export type GiveUp = (why: string) => void
