/** Watchers that do not read. The cases: test-support/fixtures/hostile/slow.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'slow watchers')
