/** Clients who may write a store, and do not mean well. The cases: test-support/fixtures/hostile/store.py. */
import t from 'tap'
import { leakChecked, survives, watchdog } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'the store', { rules: [{ names: ['SharedStore'], write: ['*'] }] })
