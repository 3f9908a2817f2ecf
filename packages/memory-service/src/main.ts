/** From arguments to an exit status. The only file that ends the process. */
import { CommanderError } from 'commander'
import { EXIT_DONE, EXIT_USAGE, exitCodeOf } from './exit-codes.ts'
import { commandFirst } from './option-order.ts'
import { complain } from './output.ts'
import { makeProgram } from './program.ts'

async function run(args: string[]): Promise<number> {
  let status = EXIT_DONE
  const program = makeProgram((result) => {
    status = result
  })
  try {
    await program.parseAsync(commandFirst(program, args), { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE
    complain(error)
    return exitCodeOf(error)
  }
}

process.exitCode = await run(process.argv.slice(2))
