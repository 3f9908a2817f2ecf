/** Serves a registry on this machine with only the given packages: npm, pnpm and Yarn install from it without a network. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/**
 * @param packages `{ manifest, tarball }`, one of each name
 * @returns `{ url, close }`
 */
export async function serveRegistry(packages) {
  const byName = new Map(packages.map((each) => [each.manifest.name, { ...each, bytes: readFileSync(each.tarball) }]))
  const server = createServer(({ url }, response) => {
    const [, name, isTarball] = decodeURIComponent(url).match(/^\/(.*?)(\/-\.tgz)?$/)
    const found = byName.get(name)
    if (found === undefined) response.writeHead(404).end('{}')
    else if (isTarball) response.end(found.bytes)
    else response.end(JSON.stringify(describe(found, `http://localhost:${server.address().port}`)))
  })
  await new Promise((resolve) => server.listen(0, 'localhost', resolve))
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** What a registry answers of a package. */
function describe({ manifest, bytes }, url) {
  const { name, version } = manifest
  const hash = (algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding)
  const dist = {
    tarball: `${url}/${name}/-.tgz`,
    shasum: hash('sha1', 'hex'),
    integrity: `sha512-${hash('sha512', 'base64')}`,
  }
  return {
    name,
    'dist-tags': { latest: version },
    time: { [version]: '2020-01-01T00:00:00.000Z' },
    versions: { [version]: { ...manifest, dist } },
  }
}
