/** The last changes that were seen. */

import type { HistoryEntry } from '../src/model/shown.ts'
import { Breakable } from './breakable.tsx'
import { Scroller } from './scroller.tsx'
import { clock } from './words.ts'

const SHOWN = 50

export function History({ changes }: { changes: readonly HistoryEntry[] }) {
  return (
    <section class="card history" aria-labelledby="history-title">
      <h2 id="history-title">Last changes</h2>
      {changes.length === 0 ? (
        <p class="quiet">None was seen yet.</p>
      ) : (
        <Scroller label="The changes">
          <table>
            <thead>
              <tr>
                <th scope="col" class="short">
                  Seen at
                </th>
                <th scope="col">Where</th>
                <th scope="col" class="short">
                  Now
                </th>
              </tr>
            </thead>
            <tbody>
              {changes.slice(0, SHOWN).map(({ id, at, name, key, text }) => (
                <tr key={id}>
                  <td class="short">{clock(at)}</td>
                  <td>
                    <Breakable name={name} />
                    {key !== undefined && <code> {key}</code>}
                  </td>
                  <td>{text === null ? <em>deleted</em> : <code>{text}</code>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </section>
  )
}
