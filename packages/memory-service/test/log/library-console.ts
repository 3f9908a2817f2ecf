import { pino } from 'pino'
import t from 'tap'
import { logConsole } from '../../src/log/library-console.ts'

t.test('each console line of a library is one record, and only if debug is logged', async (t) => {
  const { error, warn, log, info } = console
  t.teardown(() => Object.assign(console, { error, warn, log, info }))
  const records: object[] = []
  const logger = pino({ base: null, level: 'debug' }, { write: (line) => records.push(JSON.parse(line)) })
  logConsole(logger)
  console.error(new Error('no space left'))
  console.warn('%d pages', 3)
  console.log('a\nb')
  logger.level = 'info'
  console.info('nobody asks')
  t.match(records, [{ level: 20, said: /no space left\n/ }, { said: '3 pages' }, { said: 'a\nb' }])
  t.equal(records.length, 3)
})
