/** Who holds the memory, as the seed draws it. */
import { useEffect, useState } from 'preact/hooks'
import { get, wordsOf } from './api.ts'
import { Scroller } from './scroller.tsx'
import { bytes } from './words.ts'

interface Descriptor {
  readonly pid: number
  readonly fd: number
  readonly flags: number | null
  readonly access: string
  readonly offset: number | null
  readonly openFile: number | null
}

interface Region {
  readonly name: string
  readonly inode: number
  readonly size: number
  readonly sealNames: readonly string[]
  readonly processes: readonly {
    readonly pid: number
    readonly command: string
    readonly descriptors: readonly Descriptor[]
  }[]
  readonly unseen: readonly string[]
}

interface Picture {
  readonly svg: string
  readonly regions: readonly Region[]
}

/** The picture is made by our own server, which escapes what is in it; the browser wants that said. */
const trusted = (
  window as { trustedTypes?: { createPolicy(name: string, rules: object): { createHTML(text: string): string } } }
).trustedTypes?.createPolicy('memsvc', { createHTML: (text: string) => text })

export function Memory({ name }: { name: string }) {
  const [picture, setPicture] = useState<Picture | null>(null)
  const [error, setError] = useState<string | null>(null)
  const look = () =>
    get<Picture>('inspect', { name }).then(
      (found) => {
        setPicture(found)
        setError(null)
      },
      (problem) => setError(wordsOf(problem)),
    )
  useEffect(() => void look(), [])
  return (
    <div class="card memory">
      <h2>Who holds the memory of {name}</h2>
      <p class="quiet">
        Descriptors lead to open files of the kernel, and these to the memory. Dashed lines are mappings.
      </p>
      <div class="buttons">
        <button type="button" onClick={() => void look()}>
          Look again
        </button>
      </div>
      <p class="error" role="alert">
        {error}
      </p>
      {picture === null ? (
        error === null && <p role="status">Looking…</p>
      ) : (
        <>
          <Scroller look="picture" label="The picture">
            <div dangerouslySetInnerHTML={{ __html: trusted?.createHTML(picture.svg) ?? picture.svg }} />
          </Scroller>
          {picture.regions.map((region) => (
            <RegionTable key={region.inode} region={region} />
          ))}
        </>
      )}
    </div>
  )
}

function RegionTable({ region }: { region: Region }) {
  const descriptors = region.processes.flatMap(({ command, descriptors }) =>
    descriptors.map((each) => ({ ...each, command })),
  )
  return (
    <>
      <Scroller label={`Descriptors of inode ${region.inode}`}>
        <table>
          <caption>
            inode {region.inode}, {bytes(region.size)}, sealed: {region.sealNames.join(' ') || 'not at all'}
          </caption>
          <thead>
            <tr>
              <th scope="col">Process</th>
              <th scope="col" class="short">
                Descriptor
              </th>
              <th scope="col" class="short">
                Open file
              </th>
              <th scope="col" class="short">
                Access
              </th>
              <th scope="col" class="short">
                Flags
              </th>
              <th scope="col" class="short">
                Offset
              </th>
            </tr>
          </thead>
          <tbody>
            {descriptors.map(({ pid, fd, command, openFile, access, flags, offset }) => (
              <tr key={`${pid} ${fd}`}>
                <td class="wide">
                  {pid} <span class="quiet">{command}</span>
                </td>
                <td class="short">{fd}</td>
                <td class="short">{openFile ?? 'not told'}</td>
                <td class="short">{access}</td>
                <td class="short">{flags === null ? '–' : `0${flags.toString(8)}`}</td>
                <td class="short">{offset ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      <ul class="unseen">
        {region.unseen.map((sentence) => (
          <li key={sentence}>Not seen: {sentence}.</li>
        ))}
      </ul>
    </>
  )
}
