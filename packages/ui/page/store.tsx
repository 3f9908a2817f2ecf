/** The named values of a store: searched, viewed, edited. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { StoreList, StoreState } from '../src/model/shown.ts'
import { get } from './api.ts'
import { Editor } from './editor.tsx'
import type { Chosen, State } from './state.ts'
import { bytes, count } from './words.ts'

/** Changes come faster than anybody reads: they are fetched together. */
const PAUSE_MS = 120

export function Store({ name, state, isShown }: { name: string; state: State; isShown: boolean }) {
  const [search, setSearch] = useState('')
  const [list, setList] = useState<StoreList | null>(null)
  const [chosen, setChosen] = useState<Chosen | null>(null)
  const now = state.stores[name]
  const change = state.entry?.name === name ? state.entry.count : 0
  useFetched(
    () => get<StoreList>('store', { name, search }).then(setList),
    [isShown, search, change, now?.state, now?.keys],
  )
  return (
    <div class="store">
      <div class="card list">
        <h2>{name}</h2>
        <p class={isAway(now) ? 'notice' : 'quiet'} role="status">
          {describe(now ?? list)}
        </p>
        <div class="toolbar">
          <label for="store-search">Search keys</label>
          <input
            id="store-search"
            type="search"
            autoComplete="off"
            spellcheck={false}
            value={search}
            onInput={(event) => setSearch((event.currentTarget as HTMLInputElement).value)}
          />
          <button type="button" onClick={() => setChosen('new')}>
            New value
          </button>
        </div>
        <Keys list={list} chosen={chosen} onChoose={(key) => setChosen({ key })} />
      </div>
      {chosen !== null && (
        <Editor
          key={chosen === 'new' ? 'new' : `key ${chosen.key}`}
          store={name}
          chosen={chosen}
          change={state.entry}
          onSaved={(key) => setChosen({ key })}
          onClose={() => setChosen(null)}
        />
      )}
    </div>
  )
}

/** Once a moment after what it depends on has changed, and the last answer wins. */
function useFetched(fetchIt: () => Promise<void>, dependencies: readonly unknown[]): void {
  const fetching = useRef(fetchIt)
  fetching.current = fetchIt
  useEffect(() => {
    const timer = setTimeout(() => void fetching.current().catch(() => undefined), PAUSE_MS)
    return () => clearTimeout(timer)
  }, dependencies)
}

function Keys({
  list,
  chosen,
  onChoose,
}: {
  list: StoreList | null
  chosen: Chosen | null
  onChoose: (key: string) => void
}) {
  if (list === null) return <p class="quiet">Looking…</p>
  if (list.entries.length === 0) return <p class="quiet">{list.keys > 0 ? 'No key has this in it.' : 'It is empty.'}</p>
  const selected = chosen === null || chosen === 'new' ? null : chosen.key
  return (
    <>
      <ul class="keys" aria-label="Keys">
        {list.entries.map((entry) => (
          <li key={entry.key}>
            <button type="button" aria-current={entry.key === selected} onClick={() => onChoose(entry.key)}>
              <span class="name">{entry.key}</span>
              <span class="preview">{entry.preview}</span>
              <span class="facts">
                {entry.type}, {bytes(entry.bytes)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {list.found > list.entries.length && (
        <p class="quiet">
          The first {list.entries.length} of {list.found.toLocaleString('en')} are shown: search for the others.
        </p>
      )}
    </>
  )
}

function isAway(state: StoreState | undefined): boolean {
  return state?.state === 'slow' || state?.state === 'stale'
}

function describe(state: StoreState | null): string {
  if (state === null || state.state === 'absent') return 'waiting for the store'
  if (state.state === 'unusable') return state.problem ?? 'it cannot be used'
  const keys = count(state.keys, 'key')
  if (state.state === 'slow') return `its owner does not answer: it is stopped, or has too much to do; ${keys}`
  return state.state === 'live' ? `live, ${keys}` : `its owner is away: these are the last values, ${keys}`
}
