/** The region of a service, mapped. */
import { type ServiceManager, SharedValue } from '@memsvc/shared'
import { type Deadline, findService } from '@memsvc/shared/internal'

/** The caller closes it. @throws as findService and SharedValue.of; ToolError the service does not answer */
export async function openValue(manager: ServiceManager, name: string, deadline: Deadline): Promise<SharedValue> {
  return deadline.within(SharedValue.of(await findService(manager, name, deadline)), name)
}
