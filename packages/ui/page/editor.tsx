/** One value of a store, in an editor: as JSON or as text, with its revision. A conflict is shown, and the user resolves it. */
import type { EntryText } from '../src/model/shown.ts'
import { type Draft, type DraftProps, useDraft } from './draft.ts'
import { Scroller } from './scroller.tsx'
import { bytes } from './words.ts'

export function Editor(props: DraftProps) {
  const { chosen, onClose } = props
  const isNew = chosen === 'new'
  const { draft, setDraft, error, said, theirs, take, save, remove } = useDraft(props)
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
