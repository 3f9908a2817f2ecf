/** One name that this daemon serves: a value, and beside it the control of the daemon. */
import { type Binder, type FileDescriptor, OwnedValue, type OwnedValueOptions } from '@memsvc/shared'
import { type Activity, type RegionStatus, regionStatus } from '@memsvc/shared/internal'

export interface PublishedServiceOptions extends OwnedValueOptions {
  readonly name: string
  /** The extension of the value's binder. Borrowed. */
  readonly control: Binder
}

export class PublishedService {
  readonly name: string
  readonly #value: OwnedValue

  /** Makes and seals the region. @throws as OwnedValue */
  constructor({ name, control, ...options }: PublishedServiceOptions) {
    this.name = name
    this.#value = new OwnedValue(options)
    this.#value.binder.setExtension(control)
  }

  /** To be published. Belongs to the service. */
  get binder(): Binder {
    return this.#value.binder
  }

  get value(): number {
    return this.#value.get()
  }

  /** How often it was set, and since when it is what it is. */
  get activity(): Activity {
    return this.#value.activity
  }

  /** Belongs to the service. */
  get region(): FileDescriptor {
    return this.#value.file.getFileDescriptor()
  }

  get regionStatus(): RegionStatus {
    return regionStatus(this.region)
  }

  /** Unmaps the region. Clients that have it mapped keep its last value. */
  close(): void {
    this.#value.close()
  }
}
