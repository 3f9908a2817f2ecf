/**
 * Decides who may add a name, find it, and write its value. The daemon's own user and root always may. For everybody
 * else the first rule that has both the name and the action decides. Without such a rule, everybody may find, and
 * nobody may do the rest.
 */
import type { Identity, People } from './people.ts'

export const ACTIONS = ['add', 'find', 'write'] as const
export type Action = (typeof ACTIONS)[number]

export interface AccessRule {
  /** Names of services. A * at the end stands for any ending. */
  readonly names: readonly string[]
  readonly people: { readonly [A in Action]?: People }
}

export interface AccessRules {
  readonly rules: readonly AccessRule[]
  /** May write, whatever the rules say: `--writers`. */
  readonly writers: People
}

export class Access {
  /** Can be replaced at any time. What was allowed before stays allowed. */
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
