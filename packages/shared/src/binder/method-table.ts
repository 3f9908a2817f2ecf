/** The table that an interface is made of. */
import type { ParcelType } from './parcel-types.ts'

/** One method of an interface. */
export interface MethodSpec {
  /** 1 to 16777215, unique within the interface: it is what travels. */
  readonly code: number
  /** The types of its parameters, in their order. */
  readonly args: readonly ParcelType<unknown>[]
  /** The type of its result. Absent: it returns nothing. */
  readonly returns?: ParcelType<unknown>
  /** The caller does not wait, and does not learn the outcome. */
  readonly oneway?: boolean
}

/** The methods of an interface, by name. */
export type InterfaceSpec = Readonly<Record<string, MethodSpec>>
