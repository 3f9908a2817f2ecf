/** Which folder a service of systemd must see, by who installed. */
import { watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { sharedFolder } from '../../src/systemd/installation.ts'

watchdog(t)

t.test('with npm it is the folder with the node_modules', async (t) => {
  const paths = ['@memsvc/memory-service/bin/memsvc.js', 'memfd-native/dist/bundle/index.js', 'memfd-native']
  t.equal(sharedFolder(paths.map((path) => `/opt/app/node_modules/${path}`)), '/opt/app')
})

t.test('in a workspace it is the folder with the packages and the links to them', async (t) => {
  const paths = ['packages/memory-service/bin/memsvc.js', 'packages/memfd-native/index.js', 'node_modules/memfd-native']
  t.equal(sharedFolder(paths.map((path) => `/srv/project/${path}`)), '/srv/project')
})

t.test('with pnpm it is the folder with all packages', async (t) => {
  const own = '@memsvc+memory-service@1.0.0/node_modules'
  const paths = [
    `${own}/@memsvc/memory-service/bin/memsvc.js`,
    `${own}/memfd-native`,
    'memfd-native@1.0.0/node_modules/memfd-native/dist/bundle/index.js',
  ]
  t.equal(sharedFolder(paths.map((path) => `/opt/app/node_modules/.pnpm/${path}`)), '/opt/app/node_modules/.pnpm')
})
