/** What is well formed and not to be had: an answer, and the channel lives. The cases: test/fixtures/hostile/refusals.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/hostile-clients.ts'

watchdog(t)
leakChecked(t)

survives(t, 'refusals')
