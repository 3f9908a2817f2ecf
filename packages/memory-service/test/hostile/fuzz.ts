/** Bytes that are almost right: test/fixtures/hostile/fuzz.py. MEMSVC_SEED repeats a failure. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/hostile-clients.ts'

watchdog(t)
leakChecked(t)

survives(t, 'fuzz')
