/** Where the cluster is, from the file and the command line; secrets from files of their own. */
import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { parseDocument } from '../../src/config/document.ts'
import { readReplicate, settingsOf } from '../../src/config/replicate.ts'
import { nodePath } from '../../test-support/index.ts'

const configured = (text: string) => readReplicate(parseDocument(text))

t.test('the file applies, except where the command line says something else', async (t) => {
  const file = configured('{ "endpoints": ["http://a:1"], "prefix": "p/", "mode": "read", "capacity": "1 MiB" }')
  const settings = settingsOf(file, {}, {})
  t.match(settings, { endpoints: ['http://a:1'], prefix: 'p/', mode: 'read', capacity: 1048576, name: 'ClusterStore' })
  const other = settingsOf(file, { endpoint: ['https://b:2'], prefix: 'q/', store: 's', machine: 'm' }, {})
  t.match(other, { endpoints: ['https://b:2'], prefix: 'q/', name: 's', machine: 'm' })
  t.equal(settingsOf(null, { endpoint: ['http://a:1'], readOnly: true }, {}).mode, 'read')
})

t.test('a password is in a file, or a credential of systemd', async (t) => {
  const folder = t.testdir({ password: 'secret\n' })
  const file = configured('{ "endpoints": ["http://a:1"], "user": "u", "passwordFile": "password" }')
  t.match(settingsOf(file, {}, { CREDENTIALS_DIRECTORY: folder }).credentials, { user: 'u', password: 'secret' })
  const path = JSON.stringify(nodePath.join(folder, 'password'))
  const absolute = configured(`{ "endpoints": ["http://a:1"], "user": "u", "passwordFile": ${path} }`)
  t.equal(settingsOf(absolute, {}, {}).credentials?.password, 'secret')
  t.throws(() => settingsOf(file, {}, {}), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => settingsOf(configured('{ "endpoints": ["http://a:1"], "user": "u" }'), {}, {}), /passwordFile/)
})

t.test('a password that is replaced in its file is the new one, and the last one where the file is gone', async (t) => {
  const path = nodePath.join(t.testdir({ password: 'first\n' }), 'password')
  const { credentials } = settingsOf({ endpoints: ['http://a:1'], user: 'u', passwordFile: path }, {}, {})
  t.equal(credentials?.password, 'first')
  writeFileSync(path, 'second')
  t.equal(credentials?.password, 'second')
  rmSync(path)
  t.equal(credentials?.password, 'second')
  t.throws(() => settingsOf({ endpoints: ['http://a:1'], user: 'u', passwordFile: path }, {}, {}), /cannot be read/)
})

t.test('endpoints are URLs without a password, and there are some', async (t) => {
  for (const endpoint of ['a:1', 'ftp://a', 'http://u:p@a', '']) {
    t.throws(() => settingsOf(null, { endpoint: [endpoint] }, {}), { code: 'ERR_INVALID_ARG_VALUE' }, endpoint)
  }
  t.throws(() => settingsOf(null, {}, {}), /endpoints/)
  t.throws(() => settingsOf(null, { endpoint: ['http://a:1'], prefix: '' }, {}), /prefix/)
})
