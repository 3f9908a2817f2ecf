/** The daemon's limits as they are where nobody asked for anything and there is room for all. */
import { fitLimits } from '../src/quota/descriptor-budget.ts'
import { Ledger } from '../src/quota/ledger.ts'

export const DEFAULTS = fitLimits({}, Number.POSITIVE_INFINITY)

/** A ledger that goes by them. */
export function makeLedger(ownUid: number, onChange: () => void = () => undefined): Ledger {
  return new Ledger({ limits: DEFAULTS, ownUid, onChange })
}
