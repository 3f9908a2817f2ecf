/** A name that may be longer than a line. It breaks between its words. */
import { Fragment } from 'preact'

export function Breakable({ name }: { name: string }) {
  const words = name.split(/(?<=[a-z])(?=[A-Z])|(?<=[._/-])/)
  return (
    <>
      {words.map((word, i) => (
        <Fragment key={i}>
          {i > 0 && <wbr />}
          {word}
        </Fragment>
      ))}
    </>
  )
}
