/** The rule for names of services. */

export const MAX_NAME_CHARACTERS = 127 // Android's, ServiceManager.cpp isValidServiceName

const NAME = /^[a-zA-Z0-9_\-./]+$/

/** Whether a service may have this name: 1 to 127 characters of a-z A-Z 0-9 _ - . / */
export function isServiceName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= MAX_NAME_CHARACTERS && NAME.test(name)
}
