/** What the publisher and its workers say to each other. */
import { defineInterface, types } from '@memsvc/shared'

export const SERVICE_NAME = 'example.config'

export const IConfig = defineInterface('example.IConfig', {
  /** The configuration as it is now: a region with the bytes of a JSON document, and nothing else. */
  getFileDescriptor: { code: 1, args: [], returns: types.parcelFileDescriptor },
  /** Tells an IConfigListener of every later configuration. */
  addListener: { code: 2, args: [types.binder] },
})

export const IConfigListener = defineInterface('example.IConfigListener', {
  onChange: { code: 1, args: [], oneway: true },
})
