/** The unit files of `systemd/`, fitted to one installation and one version of systemd. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inPackage } from '../process/package-folder.ts'
import { hiddenPaths, type Installation } from './installation.ts'

/** Whose systemd: the machine's, or the user's own. */
export type Scope = 'system' | 'user'

export interface UnitFile {
  /** Below the folder of the units. */
  readonly name: string
  readonly text: string
}

/** The folder of the package's units, before they are adapted. */
const UNITS_FOLDER = inPackage('systemd')
/** The first line of a file that we wrote. */
const MARK = '# Written by memsvc install-unit, which may overwrite it: changes belong in a drop-in (systemctl edit).\n'
const PLACEHOLDER = '/usr/bin/env memsvc'

/** @param version of systemd: drop-ins for later ones are left out, an older systemd complains of lines it does not know */
export function makeUnitFiles(scope: Scope, installation: Installation, version: number): UnitFile[] {
  const folder = scope === 'system' ? UNITS_FOLDER : join(UNITS_FOLDER, 'user')
  const service = readFileSync(join(folder, 'memsvc.service'), 'utf8')
  const files = [
    { name: 'memsvc.socket', text: readFileSync(join(folder, 'memsvc.socket'), 'utf8') },
    { name: 'memsvc.service', text: fitService(service, installation) },
    ...dropIns(scope).filter((dropIn) => dropIn.since <= version),
  ]
  return files.map(written)
}

/** Whether memsvc wrote this file and may replace it. */
export function isOurs(text: string): boolean {
  return text.startsWith(MARK)
}

/** With the line by which we know it again. */
export function written({ name, text }: UnitFile): UnitFile {
  return { name, text: MARK + text }
}

/** @param template of a service: with the paths of this installation, which it is shown where they are hidden from it */
export function fitService(template: string, installation: Installation): string {
  const { node, program } = installation
  const started = template.replace(PLACEHOLDER, () => `${quote(node)} ${quote(program)}`)
  const shown = hiddenPaths(installation)
  if (shown.length === 0) return started
  const lines = ['ProtectHome=tmpfs', ...shown.map((path) => `BindReadOnlyPaths=${quote(path)}`)]
  return started.replace(/^ProtectHome=.*$/m, () => lines.join('\n'))
}

function dropIns(scope: Scope): (UnitFile & { since: number })[] {
  const folder = join(UNITS_FOLDER, 'drop-ins')
  const names = readdirSync(folder).filter((name) => scope === 'system' || name !== '257.conf')
  return names.map((name) => ({
    name: join('memsvc.service.d', name),
    text: readFileSync(join(folder, name), 'utf8'),
    since: Number.parseInt(name, 10),
  }))
}

/** One word of a unit file, systemd.syntax(7): '%' begins a specifier, and a blank would end the word. */
function quote(path: string): string {
  const word = path.replaceAll('%', '%%')
  return /^[\w./@%+-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`
}
