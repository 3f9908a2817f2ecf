/** What the page asks its server. All paths are below the secret of the page's own address. */

/** What went wrong, in words. */
export class Problem extends Error {
  readonly code: string
  /** Of a conflict: the version that is there now. */
  readonly version: string | null

  constructor(code: string, words: string, version: string | null = null) {
    super(words)
    this.code = code
    this.version = version
  }
}

export function get<T>(path: string, query: Record<string, string>): Promise<T> {
  return ask<T>(`api/${path}?${new URLSearchParams(query)}`)
}

export function post<T>(path: string, body: object): Promise<T> {
  return ask<T>(`api/${path}`, { method: 'POST', body: JSON.stringify(body) })
}

async function ask<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url, init).catch(() => null)
  if (response === null) throw new Problem('ERR_WINDOW', 'The window has ended: run memclient ui again.')
  const answer = await response.json().catch(() => null)
  if (response.ok) return answer as T
  const { code, words, version } = (answer ?? {}) as { code?: string; words?: string; version?: string | null }
  throw new Problem(code ?? 'ERR_WINDOW', words ?? 'The window has refused this.', version ?? null)
}

/** In words, whatever it is. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
