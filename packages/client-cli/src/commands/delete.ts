import { ANY_VERSION, checkKey, EXIT, type ExitCode } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { absent } from './key.ts'
import { answered, findOwner, versionOf } from './owner.ts'
import { readVersion } from './store-options.ts'
import { jsonLine, jsonVersion } from './value-text.ts'

/** `memclient delete KEY`: prints nothing without `--json`. */
export async function deleteKey(context: Context, key: string): Promise<ExitCode> {
  checkKey(key)
  const ifVersion = readVersion(context.options.ifVersion) ?? ANY_VERSION
  using owner = await findOwner(context)
  const version = versionOf(await answered(context, owner.name, owner.calls.delete(key, ifVersion)), key)
  if (version === 0n) throw absent(key, owner.name)
  if (context.json) await context.print(jsonLine({ key, deleted: true, version: jsonVersion(version) }))
  return EXIT.done
}
