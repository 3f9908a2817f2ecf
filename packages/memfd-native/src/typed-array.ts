/**
 * The original functions of typed arrays, even if a program has replaced them since this was loaded. An object with its
 * own methods, or a replaced function, must not get access to shared memory.
 */
/** One access to an aligned word. */
export const { load: loadWord, store: storeWord } = Atomics
/** Views of memory. */
export const [Bytes, Words] = [Uint8Array, Int32Array]

const prototype: Uint8Array = Object.getPrototypeOf(Uint8Array.prototype)

/** `target.set(source, offset)`. @throws RangeError, TypeError */
export const setBytes = uncurried<Uint8Array, [source: Uint8Array, offset: number], void>(prototype.set)

/**
 * The length in elements; 0 for a detached array.
 * @throws TypeError if it is not a typed array
 */
export const lengthOf = uncurried<Uint8Array, [], number>(getter('length'))

/** "Uint8Array" for one, also for a Buffer; undefined if it is not a typed array. */
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
