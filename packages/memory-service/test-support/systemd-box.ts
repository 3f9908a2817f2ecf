/**
 * A real systemd, booted in namespaces by scripts/systemd-box, with this memsvc installed in it. Gone with the test.
 * It is this machine's; MEMSVC_BOX_ROOT names the folder of another root file system, with Node, for another systemd.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Program } from '@memsvc/shared/test-support'
import type { Test } from 'tap'

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))
const BOOT = fileURLToPath(new URL('../../../../scripts/systemd-box/boot', import.meta.url))
/** In the box. */
const INSTALLATION = '/opt/memsvc/node_modules'
/** memsvc's program, in the box. */
export const INSTALLED_MEMSVC = `${INSTALLATION}/@memsvc/memory-service/bin/memsvc.js`
const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'
/** Milliseconds between two looks at something that systemd does not announce. */
const LOOK_MS = 20

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Why no box can be booted here, for a test's `skip`; false when one can. */
export function boxProblem(): string | false {
  if (process.getuid?.() !== 0) return 'needs root to boot a systemd'
  if (!existsSync('/lib/systemd/systemd')) return 'needs systemd'
  const { status } = spawnSync('unshare', ['--mount', '--pid', '--fork', '--cgroup', 'true'])
  return status === 0 ? false : 'may not make namespaces'
}

export class SystemdBox {
  readonly #pid: string

  private constructor(pid: string) {
    this.#pid = pid
  }

  /** @param also packages that are installed beside this one */
  static async boot(t: Test, also: readonly string[] = []): Promise<SystemdBox> {
    const boot = new Program(spawn(BOOT, rootArguments(), { stdio: ['ignore', 'pipe', 'pipe'] }))
    t.teardown(async () => {
      boot.kill('SIGTERM')
      await boot.ending
    })
    const ready = await boot.stdout.find((line) => line.startsWith('ready '))
    if (ready === null) throw new Error(`no box:\n${boot.stderr.text}`)
    const box = new SystemdBox(ready.slice('ready '.length))
    installInto(box.path(INSTALLATION), also)
    return box
  }

  /** A path of the box, as the host sees it. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${inside}`
  }

  /** Runs a program in the box to its end, as root; nothing of this process's environment comes along (tap's, for one). */
  run(...command: string[]): Promise<Finished> {
    const args = ['--target', this.#pid, '--all', '--', 'env', '--ignore-environment', PATH, ...command]
    return new Promise((resolve) => {
      execFile('nsenter', args, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout: stdout.trimEnd(), stderr: stderr.trimEnd() })
      })
    })
  }

  /** As run; answers what it says. @throws Error when it fails */
  async ask(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...command)
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stdout} ${stderr}`)
    return stdout
  }

  memsvc(...args: string[]): Promise<string> {
    return this.ask(process.execPath, INSTALLED_MEMSVC, ...args)
  }

  /** A property of memsvc.service, systemctl(1). */
  property(name: string): Promise<string> {
    return this.ask('systemctl', 'show', 'memsvc.service', '--property', name, '--value')
  }

  /** The property, once it is as wanted. */
  untilProperty(name: string, isWanted: (value: string) => boolean): Promise<string> {
    return until(() => this.property(name), isWanted)
  }

  /** The messages of memsvc.service in the journal, each with its syslog priority. */
  async journal(): Promise<{ priority: number; message: string }[]> {
    await this.ask('journalctl', '--sync')
    const lines = await this.ask('journalctl', '--identifier', 'memsvc', '--output', 'json')
    return lines.split('\n').map((line) => {
      const { PRIORITY, MESSAGE } = JSON.parse(line) as { PRIORITY: string; MESSAGE: string }
      return { priority: Number(PRIORITY), message: MESSAGE }
    })
  }
}

function rootArguments(): string[] {
  const root = process.env.MEMSVC_BOX_ROOT
  return root === undefined ? [] : ['-r', root]
}

/** Looks again and again until what it sees is as wanted, and answers that. */
export async function until<T>(look: () => Promise<T>, isWanted: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look()
    if (isWanted(seen)) return seen
    await delay(LOOK_MS)
  }
}

/** This package, others, and all that they need, as `npm install` would lay them out. */
function installInto(folder: string, also: readonly string[]): void {
  const installed = new Set<string>()
  const install = (name: string, source: string): void => {
    installed.add(name)
    cpSync(source, join(folder, name), { recursive: true })
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (installed.has(needed)) continue
      const found = tryFindPackage(needed, source)
      if (found !== null) install(needed, found)
      else if (optionalDependencies?.[needed] === undefined) throw new Error(`${name} needs ${needed}`)
    }
  }
  install('@memsvc/memory-service', PACKAGE)
  for (const name of also) install(name, findPackage(name, PACKAGE))
}

function findPackage(name: string, from: string): string {
  const found = tryFindPackage(name, from)
  if (found === null) throw new Error(`there is no ${name}`)
  return found
}

function tryFindPackage(name: string, from: string): string | null {
  const candidate = join(from, 'node_modules', name)
  if (existsSync(candidate)) return realpathSync(candidate)
  return from === dirname(from) ? null : tryFindPackage(name, dirname(from))
}
