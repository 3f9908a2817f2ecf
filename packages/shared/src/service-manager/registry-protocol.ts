/** What the client and the server of the registry say to each other: docs/protocol.md, section 6. */

export const REGISTRY_DESCRIPTOR = 'memsvc.IServiceManager'

export const GET_SERVICE = 1
export const CHECK_SERVICE = 2
export const ADD_SERVICE = 3
export const LIST_SERVICES = 4
export const REGISTER_FOR_NOTIFICATIONS = 5
export const UNREGISTER_FOR_NOTIFICATIONS = 6
export const GET_SERVICE_INFO = 1001

/** To a notification callback. */
export const ON_REGISTRATION = 1

/** The three kinds of a service in an answer. */
export const SERVICE_NONE = 0
export const SERVICE_OWN = 1
export const SERVICE_CHANNEL = 2

/** Android's dump priorities; a service has one or more, a list asks for some. */
export const DUMP_PRIORITY_DEFAULT = 8
export const DUMP_PRIORITY_ALL = 15

const NAME = /^[a-zA-Z0-9_\-./]{1,127}$/

/** Whether a service may have this name: 1 to 127 characters of a-z A-Z 0-9 _ - . / */
export function isServiceName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name)
}
