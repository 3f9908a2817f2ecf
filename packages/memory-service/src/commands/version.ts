/** `memsvc version`: prints the version, and what it runs on. */
import { release } from 'node:os'
import { EXIT, type ExitCode } from '@memsvc/shared/internal'
import { addonPath } from 'memfd-native'
import { packageVersion } from '../process/package-folder.ts'
import type { Output } from './output.ts'

export function version(options: { readonly verbose?: boolean; readonly json?: boolean }, out: Output): ExitCode {
  const { node, napi } = process.versions
  const facts = {
    version: packageVersion(),
    ...(options.verbose
      ? { kernel: release(), addon: addonPath(), node, napi, platform: `${process.platform} ${process.arch}` }
      : {}),
  }
  if (options.json) out.json(facts)
  else if (options.verbose) for (const [name, fact] of Object.entries(facts)) out.line(`${name}: ${fact}`)
  else out.line(facts.version)
  return EXIT.done
}
