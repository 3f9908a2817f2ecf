/** Bytes that are almost right: test-support/fixtures/hostile/fuzz.py. MEMSVC_SEED repeats a failure. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'fuzz')
