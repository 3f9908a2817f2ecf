/** Every name of the registry. */

import type { ListedService } from '../src/model/shown.ts'
import { Breakable } from './breakable.tsx'

export interface ServiceListProps {
  readonly services: readonly ListedService[]
  readonly chosen: readonly (string | null)[]
  readonly onChoose: (service: ListedService) => void
}

export function ServiceList({ services, chosen, onChoose }: ServiceListProps) {
  return (
    <aside aria-labelledby="services-title">
      <h2 id="services-title">Services</h2>
      {services.length === 0 && <p class="quiet">The registry has none, or cannot be reached.</p>}
      <ul>
        {services.map((service) => (
          <li key={service.name}>
            <button
              type="button"
              class="service"
              aria-pressed={chosen.includes(service.name)}
              onClick={() => onChoose(service)}
            >
              <span class="name">
                <Breakable name={service.name} />
              </span>
              <span class={`kind ${service.kind}`}>{service.kind}</span>
              <span class="facts">
                pid {service.pid}, uid {service.uid}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </aside>
  )
}
