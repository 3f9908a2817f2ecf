/** Objects that a peer may hold without keeping this process alive: for what is only there in case something happens. */
export const isBackground: unique symbol = Symbol('isBackground')
