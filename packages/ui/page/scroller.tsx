/** Scrolls contents that are larger than their place, also by keyboard. */
import type { ComponentChildren } from 'preact'

export function Scroller({
  label,
  look = 'scroll',
  children,
}: {
  label: string
  look?: string
  children: ComponentChildren
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse must be able to scroll it
    <section class={look} tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}
