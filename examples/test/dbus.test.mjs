/** Two libraries pass descriptors over a real bus to a Python program and back, by the streams of memfd-native. */
import t from 'tap'
import { loadLibraries } from '../dbus/libraries.mjs'
import { missing, missingPython, runExample } from './support/programs.mjs'

/** Without a network they may be missing. */
function cannotLoad() {
  try {
    loadLibraries()
    return false
  } catch (error) {
    return `needs dbus-native and dbus-next: ${error.message}`
  }
}

const skip = missing('dbus-daemon') || missingPython('dbus', 'dbus.service', 'gi') || cannotLoad()

t.test('a descriptor goes to another process, and another one comes back', { skip }, async (t) => {
  const { code, stdout, stderr } = await runExample(t, 'dbus/main.mjs', [], '')
  t.equal(stdout, 'dbus-native: 5 letters HELLO\ndbus-next: 11 letters HELLO AGAIN', stderr)
  t.equal(code, 0)
})
