/** One value of a store, in an editor: as JSON or as text, with its revision. A conflict is shown, and the user resolves it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { EntryText } from '../src/model/shown.ts'
import { get, Problem, post, wordsOf } from './api.ts'
import { Scroller } from './scroller.tsx'
import type { Chosen, State } from './state.ts'
import { bytes } from './words.ts'

export interface EditorProps {
  readonly store: string
  readonly chosen: Chosen
  /** The last change of any key. */
  readonly change: State['entry']
  readonly onSaved: (key: string) => void
  readonly onClose: () => void
}

/** What is in the editor, and what it began with. */
interface Draft {
  readonly key: string
  readonly text: string
  readonly mode: 'json' | 'text'
  /** Null: there is none yet. */
  readonly base: EntryText | null
}

const EMPTY: Draft = { key: '', text: '', mode: 'json', base: null }

function isDirty({ text, mode, base }: Draft): boolean {
  return base === null ? text !== '' : text !== base.text || mode !== base.mode
}

export function Editor({ store, chosen, change, onSaved, onClose }: EditorProps) {
  const isNew = chosen === 'new'
  const [draft, setDraft] = useState<Draft>(EMPTY)
  const [error, setError] = useState<string | null>(null)
  const [said, setSaid] = useState('')
  /** What somebody else has made of it; null: nobody has, or it was resolved. */
  const [theirs, setTheirs] = useState<EntryText | 'deleted' | null>(null)
  /** As it is when an answer comes, not when it was asked for. */
  const now = useRef(draft)
  now.current = draft
  /** What is heard of now may be our own change. */
  const isSaving = useRef(false)

  const load = async (): Promise<EntryText | null> => {
    const { entry } = await get<{ entry: EntryText | null }>('entry', {
      name: store,
      key: isNew ? draft.key : chosen.key,
    })
    return entry
  }
  const take = (entry: EntryText | null) => {
    setTheirs(null)
    setError(null)
    if (entry === null) onClose()
    else setDraft({ key: entry.key, text: entry.text ?? '', mode: entry.mode, base: entry })
  }
  useEffect(() => {
    if (!isNew) load().then(take, (problem) => setError(wordsOf(problem)))
  }, [])
  useEffect(() => {
    const isOurs = change !== null && change.name === store && change.key === draft.key && draft.base !== null
    if (!isOurs || isSaving.current || change.version === draft.base?.version) return
    void load().then(
      (entry) => {
        if (isSaving.current || entry?.version === now.current.base?.version) return
        if (isDirty(now.current)) setTheirs(entry ?? 'deleted')
        else take(entry)
      },
      () => undefined,
    )
  }, [change?.count])

  const save = async (ifVersion: string) => {
    isSaving.current = true
    setError(null)
    setSaid('')
    try {
      const mode = draft.base?.type === 'bytes' && draft.mode === 'text' ? 'bytes' : draft.mode
      const { version } = await post<{ version: string }>('put', {
        name: store,
        key: draft.key,
        text: draft.text,
        mode,
        ifVersion,
      })
      take(await load())
      setSaid(`Saved as revision ${version}.`)
      if (isNew) onSaved(draft.key)
    } catch (problem) {
      if (problem instanceof Problem && problem.version !== null) setTheirs((await load()) ?? 'deleted')
      else setError(wordsOf(problem))
    } finally {
      isSaving.current = false
    }
  }
  const remove = async () => {
    setError(null)
    try {
      await post('delete', { name: store, key: draft.key, ifVersion: draft.base?.version ?? null })
      onClose()
    } catch (problem) {
      if (problem instanceof Problem && problem.version !== null) setTheirs((await load()) ?? 'deleted')
      else setError(wordsOf(problem))
    }
  }
  const onSubmit = (event: Event) => {
    event.preventDefault()
    void save(draft.base?.version ?? '0')
  }
  return (
    <form class="card editor" onSubmit={onSubmit} aria-labelledby="editor-title" noValidate>
      <h2 id="editor-title">{isNew ? 'A new value' : <code>{chosen.key}</code>}</h2>
      <Facts draft={draft} isNew={isNew} onKey={(key) => setDraft({ ...draft, key })} />
      <ModeChoice mode={draft.mode} onMode={(mode) => setDraft({ ...draft, mode })} />
      <label for="editor-text">{draft.mode === 'json' ? 'Value, as JSON' : 'Value, as text'}</label>
      <textarea
        id="editor-text"
        rows={12}
        spellcheck={false}
        value={draft.text}
        disabled={draft.base !== null && draft.base.text === null}
        aria-invalid={error !== null}
        aria-describedby="editor-error"
        onInput={(event) => setDraft({ ...draft, text: (event.currentTarget as HTMLTextAreaElement).value })}
      />
      {draft.base?.text === null && <p class="quiet">These bytes are no text, or too many to edit here.</p>}
      {theirs !== null && (
        <Conflict
          theirs={theirs}
          onTheirs={() => take(theirs === 'deleted' ? null : theirs)}
          onMine={() => void save(theirs === 'deleted' ? '0' : theirs.version)}
        />
      )}
      <p id="editor-error" class="error" role="alert">
        {error}
      </p>
      <div class="buttons">
        <button type="submit" class="main" disabled={draft.key === '' || draft.base?.text === null || theirs !== null}>
          Save
        </button>
        {!isNew && (
          <button type="button" class="danger" onClick={() => void remove()} disabled={theirs !== null}>
            Delete
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <p class="said" role="status">
        {said}
      </p>
    </form>
  )
}

function Facts({ draft, isNew, onKey }: { draft: Draft; isNew: boolean; onKey: (key: string) => void }) {
  if (!isNew) {
    const { base } = draft
    return base === null ? null : (
      <p class="quiet">
        {base.type}, {bytes(base.bytes)}, revision <span data-testid="revision">{base.version}</span>
      </p>
    )
  }
  return (
    <>
      <label for="editor-key">Key</label>
      <input
        id="editor-key"
        type="text"
        autoComplete="off"
        spellcheck={false}
        value={draft.key}
        onInput={(event) => onKey((event.currentTarget as HTMLInputElement).value)}
      />
    </>
  )
}

function ModeChoice({ mode, onMode }: { mode: Draft['mode']; onMode: (mode: Draft['mode']) => void }) {
  return (
    <fieldset class="modes">
      <legend>Edit as</legend>
      {(['json', 'text'] as const).map((each) => (
        <label key={each}>
          <input type="radio" name="mode" checked={mode === each} onChange={() => onMode(each)} />
          {each === 'json' ? 'JSON' : 'Text'}
        </label>
      ))}
    </fieldset>
  )
}

interface ConflictProps {
  readonly theirs: EntryText | 'deleted'
  readonly onTheirs: () => void
  readonly onMine: () => void
}

function Conflict({ theirs, onTheirs, onMine }: ConflictProps) {
  return (
    <div class="conflict" role="alert">
      <p>
        <strong>Somebody else has changed it meanwhile.</strong>{' '}
        {theirs === 'deleted' ? 'It was deleted.' : `It is revision ${theirs.version} now:`}
      </p>
      {theirs !== 'deleted' && (
        <Scroller label="What it is now">
          <pre>{theirs.text ?? `${bytes(theirs.bytes)} that are no text`}</pre>
        </Scroller>
      )}
      <div class="buttons">
        <button type="button" onClick={onTheirs}>
          Take theirs
        </button>
        <button type="button" class="danger" onClick={onMine}>
          Save mine over it
        </button>
      </div>
    </div>
  )
}
