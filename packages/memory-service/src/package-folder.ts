/** Where this package lies, and with it what is shipped beside the code. From dist/src and from dist/bundle it is the same way. */
import { join } from 'node:path'

/** @param path below the package's folder */
export function inPackage(path: string): string {
  return join(import.meta.dirname, '../..', path)
}
