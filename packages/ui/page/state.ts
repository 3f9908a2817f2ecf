/** What the server has reported so far: one object, which each event replaces. */
import type { Hello, HistoryEntry, ListedService, StoreState, ValueState } from '../src/model/shown.ts'

export interface State {
  readonly hello: Hello | null
  /** Whether the server of this page answers. */
  readonly isConnected: boolean
  /** What its server has done: started a daemon. */
  readonly notice: string | null
  /** Why the registry cannot be reached; null: it can. */
  readonly trouble: string | null
  readonly services: readonly ListedService[]
  readonly values: Readonly<Record<string, ValueState>>
  readonly stores: Readonly<Record<string, StoreState>>
  readonly history: readonly HistoryEntry[]
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
      return { ...state, services: data as ListedService[] }
    case 'value':
      return { ...state, values: { ...state.values, [(data as ValueState).name]: data as ValueState } }
    case 'store':
      return { ...state, stores: { ...state.stores, [(data as StoreState).name]: data as StoreState } }
    case 'history':
      return { ...state, history: data as HistoryEntry[] }
    case 'change':
      return { ...state, history: [data as HistoryEntry, ...state.history].slice(0, MOST_HISTORY) }
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
