/** `memsvc inspect`: who holds the memory of a service, by which descriptors, through which open files. */
import { DEFAULT_SERVICE_NAME, InvalidArgValueError } from '@memsvc/shared'
import {
  connectInTime,
  Deadline,
  drawDot,
  drawSvg,
  drawText,
  EXIT,
  type ExitCode,
  type Inspection,
  inspectService,
  readRegistryOptions,
  readTimeout,
} from '@memsvc/shared/internal'
import type { ControlCommandOptions } from './control.ts'
import type { Output } from './output.ts'

export interface InspectCommandOptions extends ControlCommandOptions {
  readonly dot?: boolean
  readonly svg?: boolean
}

/** The width if stdout is not a terminal. */
const USUAL_WIDTH = 100

export async function inspect(
  name = DEFAULT_SERVICE_NAME,
  options: InspectCommandOptions,
  out: Output,
): Promise<ExitCode> {
  const forms = [options.json, options.dot, options.svg].filter((asked) => asked === true)
  if (forms.length > 1) throw new InvalidArgValueError('--json, --dot and --svg exclude each other')
  const deadline = new Deadline(readTimeout(options.timeout))
  using manager = await connectInTime(readRegistryOptions(options), deadline)
  const found = await inspectService(name, { manager, deadline })
  for (const line of linesOf(found, options)) out.line(line)
  return EXIT.done
}

function linesOf(found: readonly Inspection[], { json, dot, svg }: InspectCommandOptions): string[] {
  if (json) return found.map((each) => JSON.stringify(each))
  if (svg) return [drawSvg(found)]
  if (dot) return found.flatMap(drawDot)
  const width = process.stdout.columns ?? USUAL_WIDTH
  return found.flatMap((each, i) => [...(i > 0 ? [''] : []), ...drawText(each, width)])
}
