/** `memclient ui`: what is wrong with its line, before there is a window. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { memclient } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

t.test('a port is a number up to 65535', async (t) => {
  for (const port of ['65536', '99999', '100000', '-1', '1e3', '', 'http']) {
    t.match(await memclient('/nowhere', ['ui', '--port', port]), { code: 2, stdout: '', stderr: /up to 65535/ }, port)
  }
})
