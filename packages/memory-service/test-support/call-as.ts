/** Calls of other users: each in a process of its own, which does one thing and says what came of it. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runProgram } from '@memsvc/shared/test-support'

const CALL_REGISTRY = fileURLToPath(new URL('./fixtures/call-registry.js', import.meta.url))

/** What a call of this user came to: `{ ok: result }`, or its error's `{ code, message }`. Needs root. */
export async function callAs(uid: number, registry: string, ...call: string[]): Promise<unknown> {
  const { stdout, stderr } = await runProgram(CALL_REGISTRY, [registry, ...call], { uid })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

/** The same, with a supplementary group. */
export async function callInGroup(uid: number, group: number, registry: string, ...call: string[]): Promise<unknown> {
  const identity = [`--reuid=${uid}`, `--regid=${uid}`, `--groups=${group}`]
  const command = [...identity, process.execPath, CALL_REGISTRY, registry, ...call]
  const { stdout } = await promisify(execFile)('setpriv', command, { cwd: '/', env: { PATH: process.env.PATH } })
  return JSON.parse(stdout)
}
