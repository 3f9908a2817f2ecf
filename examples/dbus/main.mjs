/** `node main.mjs`: a bus of its own, a service in Python, and two clients that pass descriptors to it and back. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadLibraries } from './libraries.mjs'
import { shoutByDbusNative } from './with-dbus-native.mjs'
import { shoutByDbusNext } from './with-dbus-next.mjs'

const folder = mkdtempSync(join(tmpdir(), 'memsvc-dbus-'))
const busPath = join(folder, 'bus')
const children = []

/** A program, once it has said its first line. */
async function start(command, args) {
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${busPath}` }
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  children.push(child)
  await Promise.race([once(createInterface({ input: child.stdout }), 'line'), endOf(child, command)])
}

async function endOf(child, command) {
  const [code] = await once(child, 'exit')
  throw new Error(`${command} ended with ${code}`)
}

const CONFIGURATION = `<busconfig>
  <type>session</type>
  <listen>unix:path=${busPath}</listen>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
process.once('exit', end)

function end() {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

const { dbusNative, dbusNext } = loadLibraries()
writeFileSync(join(folder, 'bus.conf'), CONFIGURATION)
await start('dbus-daemon', ['--config-file', join(folder, 'bus.conf'), '--nofork', '--print-address'])
await start('/usr/bin/python3', [fileURLToPath(new URL('service.py', import.meta.url))])
console.log('dbus-native:', ...(await shoutByDbusNative(dbusNative, busPath, 'hello')))
console.log('dbus-next:', ...(await shoutByDbusNext(dbusNext, busPath, 'hello again')))
end()
