/** The seed's client: a field, and Read, Write, Clear. Beside it the value as it is now. */
import { useState } from 'preact/hooks'
import type { ValueState } from '../src/model/shown.ts'
import { post, wordsOf } from './api.ts'
import type { State } from './state.ts'
import { clock } from './words.ts'

export function Value({ name, state }: { name: string; state: State }) {
  const [text, setText] = useState('')
  const [error, setError] = useState<string | null>(null)
  const [said, setSaid] = useState('')
  const [isBusy, setBusy] = useState(false)
  const now = state.values[name]

  const carryOut = async (action: () => Promise<string>) => {
    setBusy(true)
    setError(null)
    try {
      setSaid(await action())
    } catch (problem) {
      setSaid('')
      setError(wordsOf(problem))
    } finally {
      setBusy(false)
    }
  }
  const read = () =>
    carryOut(async () => {
      const found = await post<{ value: number; state: ValueState['state'] }>('read', { name })
      setText(String(found.value)) // 0 where there is no memory yet: as the seed does
      if (found.state === 'live') return `Read ${found.value} from the memory.`
      if (found.state === 'slow') return `Read ${found.value} from the memory. It needs no answer of the service.`
      throw new Error(
        found.state === 'gone'
          ? 'The service is gone. This is its last value.'
          : `There is no service ${name} yet, and no memory to read.`,
      )
    })
  const write = () => carryOut(async () => `Wrote ${(await post<{ value: number }>('write', { name, text })).value}.`)
  const start = () => carryOut(async () => post('start', {}).then(() => '')) // what was done is among the notices
  const isMissing = now === undefined || now.state === 'absent' || now.state === 'gone'
  const mayStart = isMissing && name === state.hello?.name && state.hello.canStart
  const clear = () => {
    setText('')
    setError(null)
    setSaid('')
  }
  const onSubmit = (event: Event) => {
    event.preventDefault()
    void write()
  }
  return (
    <div class="card value">
      <h2>{name}</h2>
      <Live state={now} />
      {mayStart && (
        <div class="buttons">
          <button type="button" onClick={start} disabled={isBusy}>
            Start memsvc
          </button>
        </div>
      )}
      <form onSubmit={onSubmit} noValidate>
        <label for="value-field">Value</label>
        <input
          id="value-field"
          name="value"
          type="text"
          inputMode="numeric"
          autoComplete="off"
          spellcheck={false}
          value={text}
          aria-invalid={error !== null}
          aria-describedby="value-error"
          onInput={(event) => setText((event.currentTarget as HTMLInputElement).value)}
        />
        <div class="buttons">
          <button type="button" onClick={read} disabled={isBusy}>
            Read
          </button>
          <button type="submit" class="main" disabled={isBusy}>
            Write
          </button>
          <button type="button" onClick={clear}>
            Clear
          </button>
        </div>
      </form>
      <p id="value-error" class="error" role="alert">
        {error}
      </p>
      <p class="said" role="status">
        {said}
      </p>
    </div>
  )
}

function Live({ state }: { state: ValueState | undefined }) {
  if (state === undefined || state.state === 'absent') {
    return (
      <p class="live absent">
        <span class="number">–</span> <span class="state">waiting for the service</span>
      </p>
    )
  }
  if (state.state === 'unusable') return <p class="live absent">{state.problem}</p>
  return (
    <p class={state.state === 'live' ? 'live' : 'live gone'}>
      <output class="number" aria-label="Value now" aria-live="polite" data-testid="live-value">
        {state.value}
      </output>{' '}
      <span class="state">{describe(state)}</span>
    </p>
  )
}

function describe({ state, since }: ValueState): string {
  if (state === 'slow')
    return 'the service does not answer: it is stopped, or has too much to do; its memory is read all the same'
  return state === 'live' ? `live, since ${clock(since)}` : 'the service is gone: its last value'
}
