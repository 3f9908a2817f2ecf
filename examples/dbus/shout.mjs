/** What both clients have in common: where the service is, a file to give away, and what comes back. */

import { writeSync } from 'node:fs'
import { constants, fstat, Mapping, memfdCreate, mmap, OwnedFd, reopen } from 'memfd-native'

export const SHOUT = {
  destination: 'org.example.Shouter',
  path: '/org/example/Shouter',
  interface: 'org.example.Shouter',
  member: 'Shout',
  signature: 'h',
}

/** A file without a name, open for reading only. The caller closes it. */
export function fileOf(text) {
  const memfd = memfdCreate('text')
  try {
    writeSync(memfd.fd, text)
    return reopen(memfd, constants.O_RDONLY)
  } finally {
    memfd.close()
  }
}

/** The text of a file that came as the number of a descriptor, which is ours to close. */
export function textOf(number) {
  const fd = OwnedFd.adopt(number)
  try {
    const { size } = fstat(fd)
    const mapping = Mapping.map(fd, size, mmap.PROT_READ, mmap.MAP_SHARED)
    const bytes = Buffer.alloc(size)
    mapping.read(0, bytes, 0, size)
    mapping.unmap()
    return bytes.toString()
  } finally {
    fd.close()
  }
}
