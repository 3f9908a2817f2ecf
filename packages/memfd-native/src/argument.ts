/** Checks of what native code does not get to see: the shape of objects and lists, and options. */

/** An argument that cannot be right, with a code. */
export function argumentError(Kind: typeof TypeError | typeof RangeError, code: string, message: string): Error {
  return Object.assign(new Kind(message), { code })
}

/** A wrong JavaScript type. */
export function typeProblem(message: string): Error {
  return argumentError(TypeError, 'ERR_INVALID_ARG_TYPE', message)
}

/** Options, a handler, something of our own. @throws TypeError (ERR_INVALID_ARG_TYPE) */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw typeProblem(`${name} must be an object`)
}

/** @throws TypeError (ERR_INVALID_ARG_TYPE) */
export function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw typeProblem(`${name} must be an array`)
}

/** @throws TypeError (ERR_INVALID_ARG_TYPE) */
export function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw typeProblem(`${name} must be a number`)
}

/** @throws TypeError (ERR_INVALID_ARG_TYPE) */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw typeProblem(`${name} must be a function`)
}

/** An object of this class. @throws TypeError (ERR_INVALID_ARG_TYPE) */
export function checkInstance(name: string, value: unknown, Class: { prototype: object; name: string }): void {
  if (typeof value !== 'object' || value === null || !Object.prototype.isPrototypeOf.call(Class.prototype, value)) {
    throw typeProblem(`${name} must be an object of the class ${Class.name}`)
  }
}
