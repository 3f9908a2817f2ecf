/** Too much of everything. The cases: test/fixtures/hostile/floods.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/hostile-clients.ts'

watchdog(t)
leakChecked(t)

survives(t, 'floods')
