/** What costs most to serve, by code, oneway and two-way. The cases: test-support/fixtures/hostile/costly.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'costly packets')
