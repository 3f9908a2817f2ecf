/** The contents of the editor: loaded, changed, saved. A change by somebody else is taken over, or is a conflict. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { EntryText } from '../src/model/shown.ts'
import { get, Problem, post, wordsOf } from './api.ts'
import type { Chosen, State } from './state.ts'

/** What is in the editor, and what it began with. */
export interface Draft {
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

export interface DraftProps {
  readonly store: string
  readonly chosen: Chosen
  /** The last change of any key. */
  readonly change: State['entry']
  readonly onSaved: (key: string) => void
  readonly onClose: () => void
}

/** The draft of one value, and what can be done with it. */
export interface Drafting {
  readonly draft: Draft
  readonly setDraft: (draft: Draft) => void
  readonly error: string | null
  readonly said: string
  /** What somebody else has made of it; null: nobody has, or it was resolved. */
  readonly theirs: EntryText | 'deleted' | null
  /** Instead of what is here; null: it was deleted. */
  readonly take: (entry: EntryText | null) => void
  /** Over that version; '0': over none. */
  readonly save: (ifVersion: string) => Promise<void>
  readonly remove: () => Promise<void>
}

export function useDraft({ store, chosen, change, onSaved, onClose }: DraftProps): Drafting {
  const isNew = chosen === 'new'
  const [draft, setDraft] = useState<Draft>(EMPTY)
  const [error, setError] = useState<string | null>(null)
  const [said, setSaid] = useState('')
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
  return { draft, setDraft, error, said, theirs, take, save, remove }
}
