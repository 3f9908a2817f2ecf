/**
 * Typed arrays as the language has them, whatever a program has made of them since this was loaded: an object with methods
 * of its own, or a function that was replaced, must not get to see shared memory.
 */
/** One access to an aligned word. */
export const { load: loadWord, store: storeWord } = Atomics
/** Views of memory. */
export const [Bytes, Words] = [Uint8Array, Int32Array]

const prototype: Uint8Array = Object.getPrototypeOf(Uint8Array.prototype)

/** `target.set(source, offset)`. @throws RangeError, TypeError */
export const setBytes = uncurried<Uint8Array, [source: Uint8Array, offset: number], void>(prototype.set)

/** In elements; 0 of an array that was detached. @throws TypeError it is no typed array */
export const lengthOf = uncurried<Uint8Array, [], number>(getter('length'))

/** "Uint8Array" of one, also of a Buffer; undefined of what is no typed array. */
export const typeName = uncurried<unknown, [], string | undefined>(getter(Symbol.toStringTag))

/** A method as a function of what it is called on. */
function uncurried<This, Args extends unknown[], Result>(
  method: (...args: Args) => Result,
): (self: This, ...args: Args) => Result {
  return Function.prototype.call.bind(method)
}

function getter<Result>(name: PropertyKey): () => Result {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as () => Result // by the standard there is one
}
