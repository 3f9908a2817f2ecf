/** What is proven, by when it was asked and how far the copy has come: late answers make it older, never fresh. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Proofs } from '../src/replica/proofs.ts'

t.test('a look proves something once the copy has everything up to its revision', async (t) => {
  const proofs = new Proofs()
  t.equal(proofs.contact, 0)
  t.equal(proofs.add(100, 7n, 5n), false)
  t.equal(proofs.applied(6n), false)
  t.equal(proofs.applied(7n), true)
  t.equal(proofs.contact, 100)
})

t.test('the latest of those that are reached counts, whenever its answer came', async (t) => {
  const proofs = new Proofs()
  proofs.add(200, 9n, 5n)
  proofs.add(100, 8n, 5n)
  proofs.add(300, 12n, 5n)
  t.ok(proofs.applied(10n))
  t.equal(proofs.contact, 200)
  t.equal(proofs.add(150, 8n, 10n), false)
  t.equal(proofs.contact, 200)
  t.ok(proofs.applied(12n))
  t.equal(proofs.contact, 300)
})

t.test('a copy that is not complete proves nothing; another history has proven nothing', async (t) => {
  const proofs = new Proofs()
  t.equal(proofs.add(100, 3n, -1n), false)
  t.ok(proofs.applied(3n))
  proofs.forget()
  t.equal(proofs.contact, 0)
  t.equal(proofs.applied(99n), false)
})

t.test('nothing asks for the wall clock, which may jump', async (t) => {
  const source = fileURLToPath(new URL('../src', import.meta.url))
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
  t.ok(files.length > 20)
  for (const file of files) {
    const code = readFileSync(`${source}/${file}`, 'utf8')
    t.notMatch(code, /\b(Date|timeOrigin|realTime)\b/, file)
  }
})
