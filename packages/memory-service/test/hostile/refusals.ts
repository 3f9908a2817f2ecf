/** What is well formed and not to be had: an answer, and the channel lives. The cases: test-support/fixtures/hostile/refusals.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'refusals')
