import t from 'tap'
import { errorLine, terminalLine } from '../../src/command/terminal.ts'

t.test('an error is one line, whatever a peer put into it', async (t) => {
  const line = errorLine('memclient', new Error('no\nsuch \u001b[31mthing\r\n\u009b'))
  t.equal(line, 'memclient: no such  [31mthing')
  t.equal(errorLine('memsvc', 'text'), 'memsvc: text')
  t.equal(errorLine('memsvc', undefined), 'memsvc: undefined')
})

t.test('an error without a message is told by its code, or by its name', async (t) => {
  t.equal(errorLine('memsvc', Object.assign(new Error(''), { code: 'EIO' })), 'memsvc: EIO')
  t.equal(errorLine('memsvc', new RangeError('')), 'memsvc: RangeError')
})

t.test('messages of a command are cleaned, too', async (t) => {
  t.equal(terminalLine('memsvc', 'stopping a\nb'), 'memsvc: stopping a b')
})

t.test('a line that nobody would read to its end is cut', async (t) => {
  const line = errorLine('memclient', new Error('x'.repeat(100_000)))
  t.equal(line.length, 'memclient: '.length + 400 + '...'.length)
})
