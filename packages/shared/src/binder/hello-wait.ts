/** Limits the time until a peer sends HELLO. Most send it at once, so all of them share a timer. */
import { CHANNEL_LIMITS } from '../channel/limits.ts'
import { type Expiring, expireInTime, expireNoMore, NOWHERE } from '../util/common-timer.ts'
import { now } from '../util/timers.ts'

export class HelloWait implements Expiring {
  readonly at = now() + CHANNEL_LIMITS.helloTimeout.limit
  place = NOWHERE
  readonly #session: { close(): void }

  /** @param session is closed when nothing has come in time */
  constructor(session: { close(): void }) {
    this.#session = session
    expireInTime(this)
  }

  /** It has, or will not come any more. Again is harmless. */
  end(): void {
    expireNoMore(this)
  }

  expire(): void {
    this.#session.close()
  }
}
