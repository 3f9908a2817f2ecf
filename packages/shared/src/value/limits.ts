/** Limits of a service that lets its value be watched. */
import type { Limit } from '../util/limit.ts'

export const VALUE_LIMITS = {
  noticesPerTurn: {
    name: 'notices in a turn',
    limit: 256,
    unit: 'notices',
    error: null,
    meaning: 'watchers told in one turn of the event loop; the others follow in the next ones',
  },
} as const satisfies Record<string, Limit>
