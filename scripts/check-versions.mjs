/**
 * Checks that all packages have the same version, depend on exactly that version of each other, and support the same Node.js
 * versions. The dependencies of the workspace, which `npm start` installs, must be those that the packages are developed with.
 */
import { runCheck } from './lib/check-program.mjs'
import { listPackages, readJson } from './lib/workspace.mjs'

function findProblems(root) {
  const { version } = readJson(root, 'lerna.json')
  const { engines, dependencies: started = {} } = readJson(root, 'package.json')
  const locked = readJson(root, 'package-lock.json').packages
  const packages = listPackages(root)
  const names = packages.map(({ manifest }) => manifest.name)
  const problems = packages.flatMap(({ folder, manifest }) => [
    differs(`${folder}: version`, manifest.version, version),
    differs(`${folder}: version in package-lock.json`, locked[folder]?.version, version),
    differs(`${folder}: engines.node`, manifest.engines?.node, engines.node),
    ...siblings(manifest, names).map(([name, range]) => differs(`${folder}: dependency ${name}`, range, version)),
    ...ownRanges(manifest, started).map(([name, range]) => differs(`package.json: ${name}`, started[name], range)),
  ])
  return problems.filter((problem) => problem !== null)
}

function siblings({ dependencies, devDependencies, optionalDependencies }, names) {
  const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
  return all.filter(([name]) => names.includes(name))
}

function ownRanges({ dependencies, devDependencies }, started) {
  return Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) => name in started)
}

function differs(what, is, shouldBe) {
  return is === shouldBe ? null : `${what} is ${is}, not ${shouldBe}`
}

runCheck('check-versions', findProblems)
