/** How much peers may use of a resource. Beyond it a call fails with ERR_LIMIT and has no effect. */
export interface Shares {
  /** For all users together. */
  readonly total: number
  /** For each user except this process's own and root, so that one user cannot use up everything. */
  readonly perUser: number
  /** For one connection or channel, if it can have several. */
  readonly perPeer?: number
}

export function ofOneUser(resource: string): string {
  return `${resource} of one user`
}

export function ofOnePeer(resource: string): string {
  return `${resource} of one peer`
}
