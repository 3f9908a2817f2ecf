/**
 * Who may add a name, find it, write its value. The daemon's own user and root always may; for everybody else the first
 * rule decides that has both the name and the action, and without one the default: all may find, nobody else the rest.
 */
import type { Identity, People } from './people.ts'

export const ACTIONS = ['add', 'find', 'write'] as const
export type Action = (typeof ACTIONS)[number]

export interface AccessRule {
  /** Of services; a * at the end stands for any rest. */
  readonly names: readonly string[]
  readonly people: { readonly [A in Action]?: People }
}

export interface AccessRules {
  readonly rules: readonly AccessRule[]
  /** May write, whatever the rules say: `--writers`. */
  readonly writers: People
}

export class Access {
  /** May be exchanged at any time: what was allowed already stays. */
  rules: AccessRules
  readonly #ownUid: number

  constructor(ownUid: number, rules: AccessRules) {
    this.#ownUid = ownUid
    this.rules = rules
  }

  isOwner(uid: number): boolean {
    return uid === 0 || uid === this.#ownUid
  }

  allows(action: Action, name: string, who: Identity): boolean {
    if (this.isOwner(who.uid)) return true
    const { rules, writers } = this.rules
    if (action === 'write' && writers.includes(who)) return true
    const rule = rules.find(({ names, people }) => people[action] !== undefined && isOneOf(names, name))
    return rule?.people[action]?.includes(who) ?? action === 'find'
  }
}

function isOneOf(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))
}
