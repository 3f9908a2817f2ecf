/** Where things are. All that the bench makes lies in its own `build` folder, which git ignores and `clean` removes. */
import { fileURLToPath } from 'node:url'

export const packageFolder = fileURLToPath(new URL('../../..', import.meta.url))
export const repositoryFolder = fileURLToPath(new URL('../../../../..', import.meta.url))
export const buildFolder = `${packageFolder}build`

/** The compiled program of `programs/`. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url))
}
