/** Checks of the arguments of a `Parcel` that are more than bytes: binders, interfaces, Parcelables and their creators. */
import { checkNotNull, show } from '../util/check.ts'
import { InvalidArgTypeError } from '../util/errors.ts'
import { acceptsFileDescriptors } from './carried-binder.ts'

export function checkBinderOrNull(name: string, value: unknown): void {
  if (value !== null && !has(value, acceptsFileDescriptors)) throw wrongType(name, 'a binder or null', value)
}

export function checkInterfaceOrNull(name: string, value: unknown): void {
  if (value !== null && !can(value, 'asBinder')) throw wrongType(name, 'an interface or null', value)
}

export function checkParcelableOrNull(name: string, value: unknown): void {
  if (value !== null && !can(value, 'writeToParcel')) throw wrongType(name, 'a Parcelable or null', value)
}

export function checkCreator(value: unknown): void {
  checkNotNull('creator', value)
  if (!can(value, 'createFromParcel')) throw wrongType('creator', 'the CREATOR of a Parcelable class', value)
}

/** Whether it has this method, its own or inherited. */
function can(value: unknown, method: string): boolean {
  return has(value, method) && typeof (value as Record<string, unknown>)[method] === 'function'
}

function has(value: unknown, member: PropertyKey): boolean {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && member in value
}

export function wrongType(name: string, rule: string, value: unknown): InvalidArgTypeError {
  return new InvalidArgTypeError(`${name} must be ${rule}, got ${show(value)}`)
}
