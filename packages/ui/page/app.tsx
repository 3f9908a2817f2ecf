/** The page: first the client of Android's sample, then what a page can do better. */
import { render } from 'preact'
import { useEffect, useReducer, useState } from 'preact/hooks'
import type { ListedService } from '../src/model/shown.ts'
import { History } from './history.tsx'
import { Memory } from './memory.tsx'
import { ServiceList } from './service-list.tsx'
import { EMPTY, listen, next, type State } from './state.ts'
import { Store } from './store.tsx'
import { Value } from './value.tsx'
import { capital } from './words.ts'

const TABS = [
  { id: 'value', title: 'Value' },
  { id: 'store', title: 'Store' },
  { id: 'memory', title: 'Memory' },
] as const

type Tab = (typeof TABS)[number]['id']

function App() {
  const [state, tell] = useReducer(next, EMPTY)
  const [tab, setTab] = useState<Tab>(tabOf(location.hash))
  const [value, setValue] = useState<string | null>(null)
  const [store, setStore] = useState<string | null>(null)
  const [looked, setLooked] = useState<string | null>(null)
  useEffect(() => listen(tell), [])
  useEffect(() => {
    const follow = () => setTab(tabOf(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  const names = { value: value ?? state.hello?.name ?? null, store: store ?? state.hello?.store ?? null }
  const choose = ({ name, kind }: ListedService) => {
    if (kind === 'value') setValue(name)
    if (kind === 'store') setStore(name)
    setLooked(name)
    if (kind !== 'service' && tab !== 'memory') show(kind)
  }
  if (state.hello === null) return <Waiting state={state} />
  return (
    <>
      <Header state={state} tab={tab} />
      <div class="columns">
        <main>
          <Notices state={state} />
          <section id="panel-value" role="tabpanel" aria-labelledby="tab-value" hidden={tab !== 'value'}>
            {names.value !== null && <Value key={names.value} name={names.value} state={state} />}
          </section>
          <section id="panel-store" role="tabpanel" aria-labelledby="tab-store" hidden={tab !== 'store'}>
            {names.store !== null && (
              <Store key={names.store} name={names.store} state={state} isShown={tab === 'store'} />
            )}
          </section>
          <section id="panel-memory" role="tabpanel" aria-labelledby="tab-memory" hidden={tab !== 'memory'}>
            {tab === 'memory' && names.value !== null && (
              <Memory key={looked ?? names.value} name={looked ?? names.value} />
            )}
          </section>
          <History changes={state.history} />
        </main>
        <ServiceList services={state.services} chosen={[names.value, names.store]} onChoose={choose} />
      </div>
    </>
  )
}

function Header({ state, tab }: { state: State; tab: Tab }) {
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    const at = TABS.findIndex(({ id }) => id === tab)
    const { id } = TABS[(at + step + TABS.length) % TABS.length] ?? TABS[0]
    show(id)
    document.getElementById(`tab-${id}`)?.focus()
  }
  return (
    <header>
      <h1>
        <img src="icon.svg" alt="" width="24" height="24" /> memsvc
      </h1>
      <div class="tabs" role="tablist" aria-label="What is shown" onKeyDown={onKeyDown}>
        {TABS.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-controls={`panel-${id}`}
            aria-selected={tab === id}
            tabIndex={tab === id ? 0 : -1}
            onClick={() => show(id)}
          >
            {title}
          </button>
        ))}
      </div>
      <p class="where" title="the registry">
        {state.hello?.registry}
      </p>
    </header>
  )
}

/** What people should know before anything else. */
function Notices({ state }: { state: State }) {
  return (
    <>
      {!state.isConnected && (
        <p class="notice bad" role="alert">
          The window has ended, or does not answer. Run memclient ui again if it stays so.
        </p>
      )}
      {state.trouble !== null && (
        <p class="notice bad" role="alert">
          {capital(state.trouble)}
        </p>
      )}
      {state.notice !== null && (
        <p class="notice" role="status">
          {capital(state.notice)}
        </p>
      )}
    </>
  )
}

function Waiting({ state }: { state: State }) {
  return (
    <main class="waiting" aria-busy="true">
      <h1>memsvc</h1>
      <p role="status">{state.isConnected ? 'Connecting…' : 'The window has ended: run memclient ui again.'}</p>
    </main>
  )
}

function show(tab: Tab): void {
  location.hash = tab
}

function tabOf(hash: string): Tab {
  return TABS.find(({ id }) => `#${id}` === hash)?.id ?? 'value'
}

// Where another window of this browser finds the way. Only pages of this origin read it, port included.
localStorage.setItem('memsvc-window', location.pathname)
const app = document.getElementById('app')
if (app !== null) render(<App />, app)
