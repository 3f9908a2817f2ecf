/** systemd: whether it is there, and what this version of it keeps. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Finding, notOk, ok } from './finding.ts'

/** FileDescriptorStorePreserve=. */
const VERSION_THAT_PRESERVES = 254

export function examineSystemd(): Finding {
  const name = 'systemd'
  const version = Number(/^systemd (\d+)/.exec(systemctlVersion())?.[1] ?? 0)
  if (version === 0 || !existsSync('/run/systemd/system')) {
    return notOk(
      name,
      version === 0 ? 'not installed' : `version ${version}, but this machine was not booted with it`,
      {
        verdict: 'warning',
        follows: 'memsvc cannot run as a systemd service, so the value is lost when the daemon ends',
        remedy: 'run `memsvc start` under another supervisor',
      },
    )
  }
  if (version >= VERSION_THAT_PRESERVES) return ok(name, `version ${version}`)
  return notOk(name, `version ${version}`, {
    verdict: 'warning',
    follows: 'the value survives a crash and a restart, but not `systemctl stop`',
    remedy: `use systemd ${VERSION_THAT_PRESERVES} or later`,
  })
}

function systemctlVersion(): string {
  try {
    return execFileSync('systemctl', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
