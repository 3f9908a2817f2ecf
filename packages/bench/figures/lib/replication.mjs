/** What the tests of @memsvc/replication have: real nodes of etcd, machines, cables. By its place: no figure of another package needs it. */
import { pathToFileURL } from 'node:url'
import { thisCheckout } from '../../dist/src/harness/field.js'

const FILE = `${thisCheckout.root}/packages/replication/dist/test-support/index.js`

export function loadReplication() {
  return import(pathToFileURL(FILE).href)
}
