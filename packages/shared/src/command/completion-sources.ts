/** Asks a running registry for names to complete, and gives up if it does not answer quickly. */

import { DEFAULT_SERVICE_NAME } from '../interfaces/memory-service.ts'
import { type RegistryOptions, readRegistryOptions } from '../service-manager/registry-options.ts'
import type { ServiceManager } from '../service-manager/service-manager.ts'
import { IStore } from '../store/store-interface.ts'
import { attach } from '../store/store-listener.ts'
import { DEFAULT_STORE_NAME } from '../store/store-name.ts'
import { StoreReader } from '../store/store-reader.ts'
import { SharedValue } from '../value/shared-value.ts'
import type { CompletionSources } from './complete.ts'
import { Deadline } from './deadline.ts'
import { connectInTime, findService, listNames } from './reach.ts'

/** Nobody waits longer for a TAB. */
const PATIENCE_SECONDS = 2

/** @param words of the line: the registry and the store that it names are asked */
export function completionSources(words: readonly string[]): CompletionSources {
  const after = (option: string) => optionValue(words, option)
  const ask = async (question: (manager: ServiceManager, deadline: Deadline) => Promise<readonly string[]>) => {
    try {
      const deadline = new Deadline(PATIENCE_SECONDS)
      using manager = await connectInTime(readRegistryOptions(registryOptions(words, after)), deadline)
      return await question(manager, deadline)
    } catch {
      return []
    }
  }
  return {
    services: () => ask(listNames),
    keys: () => ask((manager, deadline) => listKeys(manager, after('--store') ?? DEFAULT_STORE_NAME, deadline)),
    values: () =>
      ask(async (manager, deadline) => {
        using value = await deadline.within(SharedValue.open(manager), DEFAULT_SERVICE_NAME)
        return [String(value.get())]
      }),
  }
}

async function listKeys(manager: ServiceManager, store: string, deadline: Deadline): Promise<string[]> {
  const owner = IStore.asInterface(await findService(manager, store, deadline))
  const reader = new StoreReader()
  try {
    reader.replace(attach(await deadline.within(Promise.resolve(owner.open(null)), store)))
    return reader.keys('')
  } finally {
    reader.close()
  }
}

function registryOptions(words: readonly string[], after: (option: string) => string | undefined): RegistryOptions {
  return {
    registry: after('--registry'),
    registryOwner: after('--registry-owner'),
    system: words.includes('--system'),
    user: words.includes('--user'),
  }
}

function optionValue(words: readonly string[], option: string): string | undefined {
  const at = words.lastIndexOf(option)
  const joined = words.findLast((word) => word.startsWith(`${option}=`))
  return at >= 0 ? words[at + 1] : joined?.slice(option.length + 1)
}
