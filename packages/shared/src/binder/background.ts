/**
 * Marks objects that do not keep this process alive while a peer holds them: they only wait for something that may
 * happen.
 */
export const isBackground: unique symbol = Symbol('isBackground')
