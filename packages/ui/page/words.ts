/** Numbers, times and sentences for people. */

/** A sentence of a program, which begins small there. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}

export function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
}

export function bytes(number: number): string {
  if (number < 1024) return `${number} B`
  return number < 1024 * 1024 ? `${(number / 1024).toFixed(1)} KiB` : `${(number / 1024 / 1024).toFixed(1)} MiB`
}
