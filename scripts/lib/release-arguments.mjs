/** Reads the arguments of `npm run release`, and says why a release is refused before anything is done. */
import { parseArgs } from 'node:util'

const USAGE =
  'usage: npm run release -- VERSION [--publish | --dry-run] [--repository https://HOST/OWNER/NAME], VERSION as 1.2.3'
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/
const ADDRESS = /^https:\/\/[\w.-]+(\/[\w.-]+){2,}$/

const NO_ADDRESS =
  'npm publishes with provenance only what says in its package.json where its sources are: ' +
  '--repository https://HOST/OWNER/NAME, as the public knows them'
const NO_PROOF =
  'npm records how a package was made (provenance) only in a public CI that identifies itself. Run the workflow "release" there; ' +
  'in GitHub Actions it needs the permission id-token: write, in GitLab CI the token SIGSTORE_ID_TOKEN'

/**
 * @param words of the command line
 * @param present the version that is there
 * @returns `{ version, publishes, address, refusal }`; address as package.json has it, or null
 */
export function readRelease(words, present, env = process.env) {
  const { version, publishes, isDry, repository } = readWords(words, present)
  const address = repository === undefined ? null : repository.replace(/(\.git)?\/?$/, '')
  const isUnderstood = VERSION.test(version) && !(publishes && isDry) && (address === null || ADDRESS.test(address))
  return {
    version,
    publishes,
    address: address === null ? null : `git+${address}.git`,
    refusal: isUnderstood ? whyNotPublished(publishes, address, env) : USAGE,
  }
}

function readWords(words, present) {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      allowPositionals: true,
      options: { publish: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, repository: { type: 'string' } },
    })
    const { publish = false, 'dry-run': isDry = false, repository } = values
    const [version = isDry ? present : '', ...more] = positionals
    return { version: more.length === 0 ? version : '', publishes: publish, isDry, repository }
  } catch {
    return { version: '', publishes: false, isDry: false }
  }
}

/** Else it would be found out when version and tag are made, and the first package is under way. */
function whyNotPublished(publishes, address, env) {
  if (!publishes) return null
  if (address === null) return NO_ADDRESS
  const isIdentified = [env.ACTIONS_ID_TOKEN_REQUEST_URL, env.SIGSTORE_ID_TOKEN].some((token) => token)
  return isIdentified ? null : NO_PROOF
}
