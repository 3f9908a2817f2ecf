/** The program: one value, read and printed. */
import { ServiceManager, SharedValue } from '@memsvc/shared'

async function main() {
  const manager = await ServiceManager.connect()
  const value = await SharedValue.open(manager)
  console.log(value.get())
  process.exit(0)
}

main()
