/**
 * Whether an engine continues the history that a copy knows. It has another one if a backup was restored, or if it is
 * another cluster.
 */
import { type Engine, type EngineChange, EngineError, type Position } from '../engine/engine.ts'
import type { Contents } from './contents.ts'

/** @param cluster which one it was; `now`: which one answers, and where it is. @throws EngineError, compacted: nobody knows */
export async function goesOn(
  engine: Engine,
  contents: Contents,
  { cluster, now }: { cluster: string; now: Position },
): Promise<boolean> {
  if (now.cluster !== cluster || now.revision < contents.highest) return false
  if (!contents.isComplete) return true
  // A backup that was restored can have passed this revision meanwhile: then other changes were made at these ones.
  for (const mark of contents.marks) if (!(await isStillThere(engine, mark))) return false
  return true
}

async function isStillThere(engine: Engine, { key, revision, value }: EngineChange): Promise<boolean> {
  try {
    const then = await engine.lookAt(key, revision)
    if (value === null || then === null) return value === null && then === null
    return then.revision === revision && then.value.equals(value)
  } catch (error) {
    if (error instanceof EngineError && error.fault === 'refused') return false
    throw error
  }
}
