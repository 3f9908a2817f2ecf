/** What `using` does, but without Symbol.dispose, which some realms lack. */
import { dispose } from 'memfd-native'

/** What `use` makes of something that is closed afterwards, also when that throws. */
export function closing<T extends { [dispose](): void }, R>(owned: T, use: (owned: T) => R): R {
  try {
    return use(owned)
  } finally {
    owned[dispose]()
  }
}
