/** Who says nothing: the one test that has to wait, for the five seconds of the protocol. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'silence', { attackers: ['the same user'] })
