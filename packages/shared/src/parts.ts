/**
 * The parts of the bundle beside index.js. What a program that reads a value does not need is in them, and is loaded when it is first
 * used: V8 need not read it before. Only the build uses this module (`scripts/lib/library-parts.mjs`); the sources know nothing of parts.
 */
import fs, { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** By name: what it exports, or what other parts use of it. */
type Part = Readonly<Record<string, unknown>>
/** What is in a part's file: it makes the part of those before it. */
type MakePart = (partOf: (name: string) => Part) => Part

const parts = new Map<string, Part>()
const given = new Map<string, MakePart>()
const listeners = new Map<string, ((part: Part) => void)[]>()

/** Loads it, the first time. */
export function part(name: string): Part {
  const known = parts.get(name)
  if (known !== undefined) return known
  const loaded = (given.get(name) ?? load(name))(part)
  parts.set(name, loaded)
  for (const listener of listeners.get(name) ?? []) listener(loaded)
  listeners.delete(name)
  return loaded
}

/** When a part is loaded, the names that index.js exports stand for what is in it, and no longer for stand-ins. */
export function onceLoaded(name: string, listener: (part: Part) => void): void {
  listeners.set(name, [...(listeners.get(name) ?? []), listener])
}

/** What index.js gives to its parts. */
export function give(library: Part): void {
  parts.set('library', library)
}

/** Inside another bundle, which has no files. */
function provide(makers: Readonly<Record<string, MakePart>>): void {
  for (const [name, make] of Object.entries(makers)) given.set(name, make)
}

/**
 * `internal.js` and what bundlers load find `part` and `provide` at an object that the library exports. Programs see no export of their own
 * for it.
 */
export function showParts(at: object): void {
  Object.defineProperty(at, Symbol.for('@memsvc/shared/parts'), { value: { part, provide } })
}

type AnyClass = abstract new (...args: unknown[]) => object
type AnyFunction = (...args: unknown[]) => unknown

/** Every operation on it loads the class, and is then done to the class. */
export function lateClass(place: string, name: string): AnyClass {
  // A bound function can be constructed, and has no prototype of its own that could differ from that of the class.
  const target = Object.defineProperty(Object.bind(null), 'name', { value: name, configurable: true })
  return standIn<AnyClass>(target as unknown as AnyClass, place, name)
}

/** A constant that is an object. */
export function lateObject(place: string, name: string): object {
  return standIn({}, place, name)
}

/** Is called as the function is. */
export function lateFunction(place: string, name: string): AnyFunction {
  let found: AnyFunction | undefined
  return (...args) => {
    found ??= part(place)[name] as AnyFunction
    return found(...args)
  }
}

function standIn<T extends object>(target: T, place: string, name: string): T {
  const handler = new StandIn<T>(place, name)
  handler.self = new Proxy(target, handler)
  return handler.self
}

class StandIn<T extends object> implements ProxyHandler<T> {
  self: T | undefined
  readonly #place: string
  readonly #name: string
  readonly #methods = new Map<AnyFunction, AnyFunction>()
  #found: T | undefined

  constructor(place: string, name: string) {
    this.#place = place
    this.#name = name
  }

  get #real(): T {
    this.#found ??= part(this.#place)[this.#name] as T
    return this.#found
  }

  /** A class says that it wants `new`. */
  apply(_: T, self: unknown, args: unknown[]): unknown {
    return Reflect.apply(this.#real as AnyFunction, self, args)
  }

  construct(_: T, args: unknown[], newTarget: NewableFunction): object {
    return Reflect.construct(this.#real as NewableFunction, args, newTarget)
  }

  /** The receiver is a class that extends it, or an object that it is the prototype of, when it is not itself. */
  get(target: T, key: PropertyKey, receiver: unknown): unknown {
    if (receiver !== this.self) return Reflect.get(this.#real, key, receiver)
    const value: unknown = Reflect.get(this.#real, key)
    return isMethod(value) && !Object.hasOwn(target, key) ? this.#method(value) : value
  }

  /** Called on the class itself: a stack shall name that, not `Proxy`. */
  #method(method: AnyFunction): AnyFunction {
    const known =
      this.#methods.get(method) ?? Object.defineProperty(method.bind(this.#real), 'name', { value: method.name })
    this.#methods.set(method, known)
    return known
  }

  set(_: T, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    return Reflect.set(this.#real, key, value, receiver === this.self ? this.#real : receiver)
  }

  has(_: T, key: PropertyKey): boolean {
    return Reflect.has(this.#real, key)
  }

  deleteProperty(target: T, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.#real, key) && Reflect.deleteProperty(target, key)
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.#real)
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.#real)
  }

  setPrototypeOf(_: T, prototype: object | null): boolean {
    return Reflect.setPrototypeOf(this.#real, prototype)
  }

  defineProperty(target: T, key: PropertyKey, property: PropertyDescriptor): boolean {
    const isDefined = Reflect.defineProperty(this.#real, key, property)
    if (isDefined && property.configurable === false) this.#copyTo(target, key)
    return isDefined
  }

  /** What the target has not got may not be said to stay. */
  getOwnPropertyDescriptor(target: T, key: PropertyKey): PropertyDescriptor | undefined {
    const property = Reflect.getOwnPropertyDescriptor(this.#real, key)
    const stays = Reflect.getOwnPropertyDescriptor(target, key)?.configurable === false
    return property && { ...property, configurable: property.configurable || !stays }
  }

  isExtensible(target: T): boolean {
    return Reflect.isExtensible(this.#real) || !this.preventExtensions(target)
  }

  /** May be said of a target only that has the same properties, and the same prototype. */
  preventExtensions(target: T): boolean {
    for (const key of Reflect.ownKeys(this.#real)) this.#copyTo(target, key)
    Reflect.setPrototypeOf(target, Reflect.getPrototypeOf(this.#real))
    return Reflect.preventExtensions(this.#real) && Reflect.preventExtensions(target)
  }

  #copyTo(target: T, key: PropertyKey): void {
    Reflect.defineProperty(target, key, Reflect.getOwnPropertyDescriptor(this.#real, key) as PropertyDescriptor)
  }
}

/** Neither a class nor somebody's mock: those have a prototype. */
function isMethod(value: unknown): value is AnyFunction {
  return typeof value === 'function' && !Object.hasOwn(value, 'prototype')
}

function load(name: string): MakePart {
  const file = `${import.meta.dirname}/${name}.cjs`
  const isNodesRealm = createRequire instanceof Function
  // A program that tests itself may have put a stub in place of what require() reads with.
  const isNodesRead = fs.readFileSync === readFileSync
  return isNodesRealm && isNodesRead ? (createRequire(file)(file) as MakePart) : loadHere(file)
}

/** In a realm of somebody's own Node's functions are of another one. */
function loadHere(file: string): MakePart {
  const module = {} as { exports: MakePart }
  // biome-ignore lint/security/noGlobalEval: only so is it of this realm
  globalThis.eval(`(function (module) {${readFileSync(file, 'utf8')}\n})`)(module)
  return module.exports
}
