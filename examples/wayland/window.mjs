/**
 * A window of one colour: frames lie in one memfd, which the compositor maps. Per frame there are two: the compositor may read one while
 * the other one is drawn.
 */
import { addSeals, constants, ftruncate, Mapping, memfdCreate, mmap } from 'memfd-native'

const DISPLAY = 1
const DISPLAY_SYNC = 0
const DISPLAY_GET_REGISTRY = 1
const XRGB8888 = 1
const BYTES_PER_PIXEL = 4
/** What is needed, and the version of each. */
const GLOBALS = { wl_compositor: 4, wl_shm: 1, xdg_wm_base: 1 }

export class Window {
  #connection
  #globals = {}
  #surface
  #buffers = []
  #mapping
  #size = { width: 640, height: 480 }

  /** Opens a window. Resolves when the compositor has said how large it is to be. */
  static async open(connection, title) {
    const window = new Window()
    window.#connection = connection
    connection.listen(DISPLAY, {
      0: (event) => {
        const [object, code, message] = [event.uint(), event.uint(), event.string()]
        throw new Error(`the compositor refused: object ${object}, code ${code}: ${message}`)
      },
    })
    await window.#bindGlobals()
    await window.#makeSurface(title)
    window.#makeBuffers()
    return window
  }

  get size() {
    return this.#size
  }

  /** Fills the next frame with a colour, 0xRRGGBB. Resolves when it was shown, and is time for another one. */
  async show(colour) {
    const { width, height } = this.#size
    const buffer = await this.#freeBuffer()
    this.#mapping.write(buffer.offset, pixels(width * height, colour), 0, width * height * BYTES_PER_PIXEL)
    buffer.isFree = false
    const shown = this.#callback((id) => this.#connection.request(this.#surface, 3, [id])) // wl_surface.frame
    this.#connection.request(this.#surface, 1, [buffer.id, 0, 0]) // attach
    this.#connection.request(this.#surface, 2, [0, 0, width, height]) // damage
    this.#connection.request(this.#surface, 6) // commit
    await shown
  }

  close() {
    this.#mapping?.unmap()
    this.#connection.close()
  }

  async #bindGlobals() {
    const connection = this.#connection
    const registry = connection.newObject()
    const found = new Map()
    connection.listen(registry, { 0: (event) => found.set(...[event.uint(), event.string()].reverse()) })
    connection.request(DISPLAY, DISPLAY_GET_REGISTRY, [registry])
    await this.#callback((id) => connection.request(DISPLAY, DISPLAY_SYNC, [id]))
    for (const [name, version] of Object.entries(GLOBALS)) {
      const number = found.get(name)
      if (number === undefined) throw new Error(`this compositor has no ${name}`)
      this.#globals[name] = connection.newObject()
      connection.request(registry, 0, [number, name, version, this.#globals[name]]) // bind
    }
    const { xdg_wm_base: shell } = this.#globals
    connection.listen(shell, { 0: (event) => connection.request(shell, 3, [event.uint()]) }) // ping, pong
  }

  async #makeSurface(title) {
    const connection = this.#connection
    const { wl_compositor: compositor, xdg_wm_base: shell } = this.#globals
    this.#surface = connection.newObject()
    connection.request(compositor, 0, [this.#surface]) // create_surface
    const shellSurface = connection.newObject()
    connection.request(shell, 2, [shellSurface, this.#surface]) // get_xdg_surface
    const toplevel = connection.newObject()
    connection.request(shellSurface, 1, [toplevel]) // get_toplevel
    connection.request(toplevel, 2, [title]) // set_title
    connection.listen(toplevel, { 0: (event) => this.#configure(event.int(), event.int()) })
    await new Promise((resolve) => {
      connection.listen(shellSurface, {
        0: (event) => {
          connection.request(shellSurface, 4, [event.uint()]) // ack_configure
          resolve()
        },
      })
      connection.request(this.#surface, 6) // commit: asks for the size
    })
  }

  /** 0: as we like. */
  #configure(width, height) {
    if (width > 0 && height > 0 && this.#mapping === undefined) this.#size = { width, height }
  }

  #makeBuffers() {
    const { width, height } = this.#size
    const stride = width * BYTES_PER_PIXEL
    const frameBytes = stride * height
    const memfd = memfdCreate('frames', constants.MFD_ALLOW_SEALING)
    try {
      ftruncate(memfd, 2 * frameBytes)
      addSeals(memfd, constants.F_SEAL_SHRINK | constants.F_SEAL_GROW) // so that the compositor needs no SIGBUS handler
      this.#mapping = Mapping.map(memfd, 2 * frameBytes, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
      const pool = this.#connection.newObject()
      this.#connection.request(this.#globals.wl_shm, 0, [pool, 2 * frameBytes], [memfd]) // create_pool: here it goes over
      this.#buffers = [0, frameBytes].map((offset) => this.#makeBuffer(pool, [offset, width, height, stride, XRGB8888]))
    } finally {
      memfd.close()
    }
  }

  #makeBuffer(pool, place) {
    const buffer = { id: this.#connection.newObject(), offset: place[0], isFree: true, released: () => undefined }
    this.#connection.request(pool, 0, [buffer.id, ...place]) // create_buffer
    this.#connection.listen(buffer.id, {
      0: () => {
        buffer.isFree = true
        buffer.released()
      },
    })
    return buffer
  }

  /** One that the compositor does not read. */
  async #freeBuffer() {
    for (;;) {
      const free = this.#buffers.find(({ isFree }) => isFree)
      if (free !== undefined) return free
      await new Promise((resolve) => {
        for (const buffer of this.#buffers) buffer.released = resolve
      })
    }
  }

  /** Resolves when the callback that the request makes is done. */
  #callback(request) {
    const id = this.#connection.newObject()
    return new Promise((resolve) => {
      this.#connection.listen(id, { 0: resolve })
      request(id)
    })
  }
}

function pixels(count, colour) {
  const bytes = Buffer.alloc(count * BYTES_PER_PIXEL)
  return bytes.fill(Buffer.from([colour & 0xff, (colour >> 8) & 0xff, colour >> 16, 0xff]))
}
