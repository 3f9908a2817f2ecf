/** One publisher, several workers. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leakChecked, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { startExample, startRegistry } from './support/programs.mjs'

watchdog(t)
leakChecked(t)

function configFile(t) {
  const path = join(t.testdir(), 'config.json')
  return { path, write: (config) => writeFileSync(path, JSON.stringify(config)) }
}

async function startPublisher(t, path, registry) {
  const publisher = startExample(t, 'share-config/publisher.mjs', [path], registry)
  t.equal(await publisher.stdout.next(), `${path} is published`, publisher.stderr.text)
  return publisher
}

t.test('all workers follow the configuration, and the next publisher', async (t) => {
  const registry = await startRegistry(t)
  const config = configFile(t)
  config.write({ version: 1 })
  const publisher = await startPublisher(t, config.path, registry)
  const workers = Array.from({ length: 3 }, () => startExample(t, 'share-config/worker.mjs', [], registry))
  const expectAll = async (line) => {
    for (const worker of workers) t.equal(await worker.stdout.next(), line, worker.stderr.text)
  }
  await expectAll('config { version: 1 }')
  config.write({ version: 2, text: 'longer than the one before' })
  publisher.kill('SIGHUP')
  await expectAll("config { version: 2, text: 'longer than the one before' }")
  writeFileSync(config.path, '{ "version": ')
  publisher.kill('SIGHUP')
  t.match(await publisher.stderr.next(), /config\.json is not published: /)
  config.write({ version: 2.5 })
  publisher.kill('SIGHUP')
  await expectAll('config { version: 2.5 }')
  await publisher.destroy()
  await expectAll('the publisher is gone: going on with what we have')
  config.write({ version: 3 })
  await startPublisher(t, config.path, registry)
  await expectAll('config { version: 3 }')
})

t.test('a worker may be there before the publisher', async (t) => {
  const registry = await startRegistry(t)
  const worker = startExample(t, 'share-config/worker.mjs', [], registry)
  const config = configFile(t)
  config.write([1, 2, 3])
  await startPublisher(t, config.path, registry)
  t.equal(await worker.stdout.next(), 'config [ 1, 2, 3 ]', worker.stderr.text)
})
