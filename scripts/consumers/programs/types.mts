import * as memsvc from '@memsvc/shared'
// @ts-expect-error it has no types
import { use } from './use.mjs'

interface Answer {
  readonly text: string
}
const answer: Answer = { text: (await use(memsvc, process.env.REGISTRY)) as string }
console.log(answer.text)
