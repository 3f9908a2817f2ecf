import { People } from '../access/people.ts'
import { DocumentError, items, type Node } from './document.ts'

/**
 * All people that a list of the configuration names.
 * @throws DocumentError if there is no such user or group
 */
export async function readPeople(list: Node): Promise<People> {
  const people = new People()
  for (const { line, value } of items(list)) {
    try {
      await people.add(value as number | string)
    } catch (error) {
      throw new DocumentError(line, (error as Error).message)
    }
  }
  return people
}
