import { ServiceManager, SharedValue } from '@memsvc/shared'
import { Canary } from '@memsvc/shared/test-support'
import { answer } from '../lib/child.mjs'

let canary

answer({
  async start({ registry }) {
    canary = new Canary(await SharedValue.open(await ServiceManager.connect({ path: registry })))
    await canary.sing()
  },

  look() {
    if (canary.complaints.length > 0) throw new Error(canary.complaints.join('\n'))
    return canary.durations.splice(0)
  },
})
