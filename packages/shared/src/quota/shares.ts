/** How much there may be of something that peers make grow. Beyond it: ERR_LIMIT, and nothing has happened. */
export interface Shares {
  /** For all users together. */
  readonly total: number
  /** For each user that is neither this process's own nor root, so that one user cannot take all of anything. */
  readonly perUser: number
  /** On one connection or channel, where it can have several. */
  readonly perPeer?: number
}

export function ofOneUser(resource: string): string {
  return `${resource} of one user`
}

export function ofOnePeer(resource: string): string {
  return `${resource} of one peer`
}
