/** Where nobody listens: which path was looked at, and how a registry gets there and not elsewhere. */
import t from 'tap'
import { findRegistry } from '../../src/service-manager/registry-path.ts'
import { connectRegistry } from '../../src/service-manager/registry-socket.ts'
import { leakChecked, newRegistryPath, nodeFs, nodePath } from '../../test-support/index.ts'

leakChecked(t)

function messageOf(...choice: Parameters<typeof findRegistry>): string {
  try {
    connectRegistry(findRegistry(...choice)).fd.close()
    return 'connected'
  } catch (error) {
    t.match(error, { code: 'ERR_REGISTRY_UNAVAILABLE' })
    return (error as Error).message
  }
}

t.test('the advice has the option by which it was looked there', async (t) => {
  const path = newRegistryPath(t)
  const runtime = { XDG_RUNTIME_DIR: nodePath.dirname(path) }
  const users = nodePath.join(runtime.XDG_RUNTIME_DIR, 'memsvc/registry.sock')
  const cases: [Parameters<typeof findRegistry>, where: string, option: string][] = [
    [[{ path }, runtime], path, ` and --registry ${path}`],
    [[{ scope: 'user' }, runtime], users, ' and --user'],
    [[{}, runtime], users, ''],
    [[{}, { ...runtime, MEMSVC_REGISTRY: path }], path, ''],
  ]
  for (const [choice, where, option] of cases) {
    const [advice] = messageOf(...choice).split('; ') // another registry may be served here
    t.equal(advice, `no registry at ${where}: start one with 'memsvc start'${option}`)
  }
})

t.test('something that is not a registry is named as what it is', async (t) => {
  const path = newRegistryPath(t)
  const folder = nodePath.dirname(path)
  t.match(messageOf({ path: folder }, {}), `${folder} is a `)
  nodeFs.writeFileSync(path, '')
  t.match(messageOf({ path }, {}), /is a .*, not the socket of a registry/)
  t.match(messageOf({ path: '/dev/null' }, {}), /^\/dev\/null is a .*, not the socket of a registry/)
  t.match(messageOf({ path: 'unix:/run/x' }, {}), /give the path without 'unix:'/)
})
