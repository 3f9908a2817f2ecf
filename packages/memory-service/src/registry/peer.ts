import type { Caller } from '@memsvc/shared/internal'
import type { Account } from '../quota/ledger.ts'

/** One connection, as the registry sees it: its identity, and what it is charged. */
export interface Peer {
  readonly caller: Caller
  /** Its groups, by the kernel's word; none of those who may do everything. */
  readonly groups: readonly number[]
  readonly account: Account
  /** Whether the kernel knows of its end already. */
  hasHungUp(): boolean
}
