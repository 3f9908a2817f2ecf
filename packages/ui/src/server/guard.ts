/**
 * Who may ask. Every user of the machine can connect to a port of 127.0.0.1, and every page in the browser can send
 * requests there. So everything is below a path with a secret in it. The printed address leads there once.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Why a request is refused, for people who sent it by mistake. */
export type Refusal = 'host' | 'origin' | 'used' | 'secret'

/** What a request is for. */
export type Admission = { readonly redirect: string } | { readonly path: string } | { readonly refusal: Refusal }

const SECRET_BYTES = 32

export class Guard {
  readonly #port: number
  readonly #secret = randomBytes(SECRET_BYTES).toString('base64url')
  /** Null: it has been used. */
  #token: string | null = randomBytes(SECRET_BYTES).toString('base64url')

  constructor(port: number) {
    this.#port = port
  }

  /** The address to open. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`
  }

  /** Where the page is. */
  get root(): string {
    return `/s/${this.#secret}/`
  }

  /** Asked about every request, before anything else. */
  admit({ headers, url = '/', method }: IncomingMessage): Admission {
    const host = headers.host ?? ''
    // A name that was made to lead here is in the Host of what a browser sends.
    if (!this.#isOwnHost(host)) return { refusal: 'host' }
    if (headers.origin !== undefined && headers.origin !== `http://${host}`) return { refusal: 'origin' }
    const site = headers['sec-fetch-site']
    const isFromElsewhere = site === 'cross-site' || site === 'same-site' // another port is the same site
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
    if (pathname === '/' && method === 'GET') return this.#redeem(searchParams.get('token'))
    const path = this.#below(pathname)
    if (isFromElsewhere && !(path === '' && isVisit(method, headers))) return { refusal: 'origin' }
    if (path === null) return { refusal: 'secret' }
    // Every browser says where a request that changes something comes from.
    if (method !== 'GET' && headers.origin === undefined && site !== 'same-origin') return { refusal: 'origin' }
    return { path: path + new URL(url, 'http://127.0.0.1').search }
  }

  #isOwnHost(host: string): boolean {
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`
  }

  #redeem(token: string | null): Admission {
    if (token === null || this.#token === null || !isSame(token, this.#token)) {
      return { refusal: token === null ? 'secret' : 'used' }
    }
    this.#token = null
    return { redirect: this.root }
  }

  /** What follows the secret; null: it is not there. */
  #below(pathname: string): string | null {
    const [, prefix, secret, ...rest] = pathname.split('/')
    return prefix === 's' && secret !== undefined && isSame(secret, this.#secret) && rest.length > 0
      ? rest.join('/')
      : null
  }
}

/**
 * A tab that navigates to the page from anywhere: the file of `--open`, a link in a mail. The browser says `cross-site`
 * for the whole navigation, redirects included. The page that sent it learns nothing: not through a frame, and not
 * through `window.open` (the opener policy).
 */
function isVisit(method: string | undefined, headers: IncomingMessage['headers']): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}

/** In the same time however much of it is right. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
