/** Descriptors, credentials and control messages that are not wanted. The cases: test-support/fixtures/hostile/ancillary.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'ancillary data')
