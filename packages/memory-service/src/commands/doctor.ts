/** `memsvc doctor`: tries what the machine can do, explains the consequences, and says what to do. It changes nothing. */
import {
  EXIT,
  type ExitCode,
  findRegistry,
  isColoured,
  type RegistryOptions,
  readRegistryOptions,
} from '@memsvc/shared/internal'
import type { SettingsOptions } from '../config/settings.ts'
import type { Finding } from '../doctor/finding.ts'
import { examineKernel } from '../doctor/kernel.ts'
import { examineMachine } from '../doctor/machine.ts'
import { examineConfiguration, examineRegistry } from '../doctor/registry.ts'
import { examineReplication } from '../doctor/replication.ts'
import { examineStores } from '../doctor/stores.ts'
import { examineSystemd } from '../doctor/systemd.ts'
import type { Output } from './output.ts'

export interface DoctorOptions extends SettingsOptions, RegistryOptions {
  readonly json?: boolean
}

/** @returns 0 when memsvc can be used here, 1 when not @throws ERR_INVALID_ARG_VALUE a path over 107 bytes */
export async function doctor(options: DoctorOptions, out: Output): Promise<ExitCode> {
  const choice = readRegistryOptions(options)
  const place = findRegistry(choice)
  const source = { options: { ...options, writers: [] }, place, env: process.env, hasStores: true }
  const findings = [
    ...examineKernel(),
    ...(await examineMachine(source)),
    ...(await examineStores(source)),
    examineSystemd(),
    await examineConfiguration(source),
    ...(await examineRegistry(choice, place)),
    ...(await examineReplication(source)),
  ]
  for (const finding of findings) {
    if (options.json) out.json(finding)
    else for (const line of lines(finding)) out.line(line)
  }
  return findings.some(({ verdict }) => verdict === 'problem') ? EXIT.failed : EXIT.done
}

const STDOUT = 1
const COLOURS: Readonly<Record<string, string>> = { ok: '32', warning: '33', problem: '31' }

function coloured(text: string, verdict: string): string {
  if (!isColoured(STDOUT)) return text
  return `\u001b[${COLOURS[verdict] ?? '0'}m${text}\u001b[0m`
}

function lines({ name, verdict, found, follows, remedy }: Finding): string[] {
  const first = `${coloured(verdict.padEnd('warning'.length), verdict)}  ${name}: ${found}`
  return follows === null ? [first] : [first, `         ${follows}`, `         do: ${remedy}`]
}
