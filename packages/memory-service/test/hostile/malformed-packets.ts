/** Every field of a message wrong in turn: the channel ends. The table: test-support/fixtures/hostile/malformed.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'malformed packets')
