/** `memsvc limits`: every limit, as a daemon started with the same options would have it on a machine with room for it. */
import {
  EXIT,
  type ExitCode,
  findRegistry,
  type Limit,
  type RegistryOptions,
  readRegistryOptions,
} from '@memsvc/shared/internal'
import { readSettings, type SettingsOptions } from '../config/settings.ts'
import { listLimits } from '../quota/limits.ts'
import type { Output } from './output.ts'

export interface LimitsOptions extends SettingsOptions, RegistryOptions {
  readonly json?: boolean
}

/** @throws ERR_INVALID_ARG_VALUE as readSettings */
export async function showLimits(options: LimitsOptions, out: Output): Promise<ExitCode> {
  const { limits, stores } = await readSettings({
    options: { ...options, writers: [] },
    place: findRegistry(readRegistryOptions(options)),
    env: process.env,
    openFiles: Number.POSITIVE_INFINITY,
    hasStores: true,
  })
  const rows = listLimits(limits, stores)
  if (options.json) for (const row of rows) out.json(row)
  else for (const line of table(rows)) out.line(line)
  return EXIT.done
}

/** In Markdown, as it stands in the README. */
function table(rows: readonly Limit[]): string[] {
  const lines = rows.map(({ name, limit, unit, error, meaning }) => {
    const number = `${limit.toLocaleString('en')}${unit === name || name.startsWith(`${unit} `) ? '' : ` ${unit}`}`
    return `| ${name} | ${number} | ${error === null ? '–' : `\`${error}\``} | ${meaning} |`
  })
  return ['| limit | number | beyond it | meaning |', '| --- | --- | --- | --- |', ...lines]
}
