/** The check steps by name, for `npm run check` and for `npm test`, which counts them. */
import { localBin, run } from './run.mjs'

const program = (file) => [process.execPath, [`scripts/${file}`]]

export const CHECKS = {
  lint: [localBin('biome'), ['check', '--error-on-warnings', '.']],
  layers: program('check-layers.mjs'),
  parameters: program('check-parameters.mjs'),
  tests: program('check-tests.mjs'),
  versions: program('check-versions.mjs'),
  docs: program('check-docs.mjs'),
  api: program('check-api.mjs'),
}

/** Runs one step and says its verdict. True if it passed. */
export function runCheckStep(name) {
  const isGood = run(...CHECKS[name])
  console.log(`${isGood ? 'ok' : 'not ok'} - check ${name}`)
  return isGood
}
