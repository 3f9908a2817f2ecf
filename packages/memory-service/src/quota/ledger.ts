/** The daemon's ledger: the library's, with the rows of limits.ts. */
import { type Account as AccountOf, Ledger as LedgerOf } from '@memsvc/shared/internal'
import type { Resource } from './limits.ts'

export class Ledger extends LedgerOf<Resource> {}

export type Account = AccountOf<Resource>
