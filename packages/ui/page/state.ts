/** What the server has told so far: one object, made anew by each event. */

export interface ValueState {
  readonly name: string
  readonly state: 'absent' | 'live' | 'slow' | 'gone' | 'unusable'
  readonly value: number | null
  readonly since: number
  readonly problem: string | null
}

export interface StoreState {
  readonly name: string
  readonly state: 'absent' | 'live' | 'slow' | 'stale' | 'unusable'
  readonly keys: number
  readonly problem: string | null
}

export interface Service {
  readonly name: string
  readonly pid: number
  readonly uid: number
  readonly kind: 'value' | 'store' | 'service'
  readonly descriptor: string | null
}

export interface Change {
  readonly id: number
  readonly at: number
  readonly name: string
  readonly key?: string
  readonly text: string | null
  readonly version?: string
}

export interface Hello {
  readonly registry: string
  readonly name: string
  readonly store: string
  /** Whether this window starts a daemon where there is none. */
  readonly canStart: boolean
  readonly uid: number
  readonly pid: number
}

export interface State {
  readonly hello: Hello | null
  /** Whether the server of this page answers. */
  readonly isConnected: boolean
  /** What its server has done: started a daemon. */
  readonly notice: string | null
  /** Why the registry cannot be reached; null: it can. */
  readonly trouble: string | null
  readonly services: readonly Service[]
  readonly values: Readonly<Record<string, ValueState>>
  readonly stores: Readonly<Record<string, StoreState>>
  readonly history: readonly Change[]
  /** The last change of a store; `count` makes each a new one. */
  readonly entry: {
    readonly name: string
    readonly key: string
    readonly version: string
    readonly count: number
  } | null
}

/** Which value is in the editor: one that is there, or a new one. */
export type Chosen = { readonly key: string } | 'new'

export const EMPTY: State = {
  hello: null,
  isConnected: true,
  notice: null,
  trouble: null,
  services: [],
  values: {},
  stores: {},
  history: [],
  entry: null,
}

export interface Told {
  readonly event: string
  readonly data: unknown
}

const MOST_HISTORY = 200

export function next(state: State, { event, data }: Told): State {
  switch (event) {
    case 'open':
      return { ...state, isConnected: true }
    case 'closed':
      return { ...state, isConnected: false }
    case 'hello':
      return { ...state, hello: data as Hello }
    case 'notice':
      return { ...state, notice: data as string | null }
    case 'trouble':
      return { ...state, trouble: data as string | null }
    case 'services':
      return { ...state, services: data as Service[] }
    case 'value':
      return { ...state, values: { ...state.values, [(data as ValueState).name]: data as ValueState } }
    case 'store':
      return { ...state, stores: { ...state.stores, [(data as StoreState).name]: data as StoreState } }
    case 'history':
      return { ...state, history: data as Change[] }
    case 'change':
      return { ...state, history: [data as Change, ...state.history].slice(0, MOST_HISTORY) }
    case 'entry':
      return {
        ...state,
        entry: { ...(data as { name: string; key: string; version: string }), count: (state.entry?.count ?? 0) + 1 },
      }
    default:
      return state
  }
}

const EVENTS = ['hello', 'notice', 'trouble', 'services', 'value', 'store', 'history', 'change', 'entry']

/** Listens from now on; the browser connects again by itself. @returns ends it */
export function listen(tell: (told: Told) => void): () => void {
  const source = new EventSource('api/events')
  source.onopen = () => tell({ event: 'open', data: null })
  source.onerror = () => tell({ event: 'closed', data: null })
  for (const event of EVENTS) {
    source.addEventListener(event, (message) =>
      tell({ event, data: JSON.parse((message as MessageEvent<string>).data) }),
    )
  }
  return () => source.close()
}
