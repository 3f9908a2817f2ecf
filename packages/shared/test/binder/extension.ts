/** An object beside another one (Android's setExtension and getExtension), in this process and over a channel. */
import t from 'tap'
import { Binder } from '../../src/binder/binder.ts'
import type { Parcel } from '../../src/parcel/parcel.ts'
import { leakChecked, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const ANDROIDS_CODE = 0x5f455854 // '_EXT'

class Named extends Binder {
  constructor(name: string) {
    super()
    this.attachInterface(null, name)
  }
}

t.test('an object has no extension until it is given one, and may lose it again', async (t) => {
  const [binder, extension] = [new Named('main'), new Named('extension')]
  t.equal(await binder.getExtension(), null)
  binder.setExtension(extension)
  t.equal(await binder.getExtension(), extension)
  binder.setExtension(null)
  t.equal(await binder.getExtension(), null)
  for (const wrong of [undefined, {}, 'x']) {
    t.throws(() => binder.setExtension(wrong as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('a client gets the extension by the channel of the object, and calls it', async (t) => {
  const binder = new Named('main')
  const { proxy } = sessionPair(t, binder)
  t.equal(await proxy.getExtension(), null)
  binder.setExtension(new Named('extension'))
  const extension = await proxy.getExtension()
  t.equal(await extension?.getInterfaceDescriptor(), 'extension')
  t.equal(await proxy.getExtension(), extension, 'the same object, the same proxy')
})

t.test('an object that knows nothing of extensions has none', async (t) => {
  class Old extends Binder {
    override onTransact(code: number, data: Parcel, reply: Parcel, flags: number) {
      return code === ANDROIDS_CODE ? false : super.onTransact(code, data, reply, flags)
    }
  }
  const { proxy } = sessionPair(t, new Old())
  t.equal(await proxy.getExtension(), null)
})
