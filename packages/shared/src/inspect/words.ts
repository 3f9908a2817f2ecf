/** The words in the pictures. */
import type { HeldDescriptor, HeldMapping, Holder, Inspection, OpenFile } from './inspection.ts'
import { mayWrite } from './layout.ts'

export function titleOf({ name, keys }: Inspection): string {
  return keys === undefined ? name : `${name}: ${keys.length === 0 ? 'all other keys' : keys.join(', ')}`
}

export function memoryLines({ inode, size, sealNames, pages, residentPages }: Inspection): string[] {
  return [
    `${size.toLocaleString('en')} bytes, inode ${inode}`,
    sealNames.length === 0 ? 'not sealed' : `sealed: ${sealNames.join(' ')}`,
    `${residentPages.toLocaleString('en')} of ${pages.toLocaleString('en')} ${pages === 1 ? 'page' : 'pages'} resident`,
  ]
}

export function holderLines(holder: Holder): string[] {
  const { pid, uid, command } = holder
  return [`process ${pid}`, command, `uid ${uid}, ${mayWrite(holder) ? 'can write' : 'read-only'}`]
}

export function descriptorWords({ fd }: HeldDescriptor): string {
  return `fd ${fd}`
}

export function fileLines({ id, access, offset }: OpenFile): string[] {
  return [`open file ${id}`, `${access}, offset ${offset ?? '?'}`]
}

export function mappingWords({ start, permissions, residentPages }: HeldMapping): string {
  const resident = residentPages === null ? '' : `, ${residentPages} resident`
  return `mapped ${permissions} at ${start}${resident}`
}
