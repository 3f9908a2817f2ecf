/** Descriptors, credentials and control messages that are not wanted. The cases: test/fixtures/hostile/ancillary.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/hostile-clients.ts'

watchdog(t)
leakChecked(t)

survives(t, 'ancillary data')
