/** The leak check must fail when it should, or every other test file proves nothing. */
import t from 'tap'
import { runFixture } from '../test-support/index.ts'

const FAILING = {
  'leaks-a-descriptor': /\+ fd \d+ -> pipe:/,
  'leaks-a-mapping': /\+ .*memfd:leaked/,
  'closes-a-strangers-descriptor': /- fd \d+ -> \/dev\/null/,
  'forgets-a-descriptor': /descriptor \d+ was garbage collected and never closed/,
}

for (const [fixture, evidence] of Object.entries(FAILING)) {
  t.test(`a test that ${fixture.replaceAll('-', ' ')} fails`, async (t) => {
    const ended = runFixture(fixture)
    t.equal(ended.status, 1)
    t.match(ended.output, evidence)
  })
}

t.test('a test that closes and unmaps all passes', async (t) => {
  t.equal(runFixture('leaks-nothing').status, 0)
})
