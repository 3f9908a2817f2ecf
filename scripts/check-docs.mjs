/**
 * Holds the documents to the code: every error code stands in docs/errors.md and none stands there that is not in the
 * code, every dependency has its reason in CONTRIBUTING.md, every package a README, every relative link a target, every
 * module of the library that keeps state a row in docs/architecture.md; and no file holds a path of somebody's machine.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { runCheck } from './lib/check-program.mjs'
import { findModuleState } from './lib/module-state.mjs'
import { listPackages, listSources, readJson, readText } from './lib/workspace.mjs'

const ERRORS_PAGE = 'docs/errors.md'
const ARCHITECTURE_PAGE = 'docs/architecture.md'
const STATE_TABLE = /^## The state that a thread keeps$([\s\S]*?)(?=^## |$(?![\s\S]))/m
/** In the table, files of `shared` are named without their package. */
const LIBRARY = /^packages\/(?:shared\/src|memfd-native\/src)\//
const CODE = /\bERR_[A-Z0-9_]*[A-Z0-9]\b/g
const HEADING = /^#{1,6} +(.+?) *$/gm
/** Inline links, without images' and footnotes' finer points. */
const LINK = /\]\(([^()\s]+)\)/g
const FENCED = /^ *(```|~~~)[\s\S]*?^ *\1/gm

const TEXT_FILE = /(^|\/)[^.]+$|\.(md|ts|js|mjs|json|py|sh|cc|h|c|gyp|yml|yaml|service|socket|conf|txt)$/
/** Folders that are nobody's own: what lies in them is no trace of a machine. */
const COMMON_FOLDERS = ['/', '/home', '/mnt', '/opt', '/srv', '/tmp', '/usr/src', '/var/tmp']

function findProblems(root) {
  const files = listSources(root)
  const pages = files.filter((file) => file.endsWith('.md'))
  return [
    ...codeProblems(root, files),
    ...dependencyProblems(root),
    ...readmeProblems(root),
    ...stateProblems(root, files),
    ...pages.flatMap((page) => linkProblems(root, page)),
    ...files.filter((file) => TEXT_FILE.test(file)).flatMap((file) => pathProblems(root, file)),
  ]
}

function codeProblems(root, files) {
  const sources = files.filter((file) => /^packages\/[^/]+\/(src|native)\//.test(file))
  const inCode = new Set(sources.flatMap((file) => readText(root, file).match(CODE) ?? []))
  const inPage = new Set(readText(root, ERRORS_PAGE).match(CODE))
  return [
    ...[...inCode].filter((code) => !inPage.has(code)).map((code) => `${ERRORS_PAGE} lacks ${code}`),
    ...[...inPage].filter((code) => !inCode.has(code)).map((code) => `${ERRORS_PAGE} has ${code}, no source has`),
  ]
}

function dependencyProblems(root) {
  const packages = listPackages(root)
  const own = packages.map(({ manifest }) => manifest.name)
  const manifests = [readJson(root, 'package.json'), ...packages.map(({ manifest }) => manifest)]
  const names = manifests.flatMap(({ dependencies, devDependencies, optionalDependencies }) =>
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }),
  )
  const reasons = readText(root, 'CONTRIBUTING.md')
  return [...new Set(names)]
    .filter((name) => !own.includes(name) && !reasons.includes(`\`${name}\``))
    .map((name) => `CONTRIBUTING.md lacks the reason for ${name}`)
}

function readmeProblems(root) {
  const missing = listPackages(root).filter(({ folder }) => !existsSync(join(root, folder, 'README.md')))
  return missing.map(({ folder }) => `${folder} has no README.md`)
}

function stateProblems(root, files) {
  const sources = files.filter((file) => LIBRARY.test(file))
  const stateful = sources.filter((file) => findModuleState(readText(root, file)).length > 0)
  const [, table = ''] = stateful.length === 0 ? [] : (readText(root, ARCHITECTURE_PAGE).match(STATE_TABLE) ?? [])
  return stateful
    .filter((file) => !table.includes(`\`${file.replace(LIBRARY, '')}\``))
    .map((file) => `${ARCHITECTURE_PAGE} lacks the state that ${file} keeps`)
}

function linkProblems(root, page) {
  const links = [...readText(root, page).replace(FENCED, '').matchAll(LINK)].map(([, link]) => link)
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !isTarget(root, page, link))
  return broken.map((link) => `${page}: nothing at ${link}`)
}

function isTarget(root, page, link) {
  const [path, anchor] = link.split('#')
  const file = path === '' ? page : posix.join(posix.dirname(page), path)
  if (!existsSync(join(root, file))) return false
  return anchor === undefined || anchors(readText(root, file)).includes(anchor)
}

/** The anchors a Markdown viewer gives to the headings. */
function anchors(text) {
  const titles = [...text.replace(FENCED, '').matchAll(HEADING)].map(([, title]) => title.toLowerCase())
  return titles.map((title) => title.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-'))
}

function pathProblems(root, file) {
  const text = readText(root, file)
  return machinePaths(root)
    .filter((path) => new RegExp(`(?<![\\w./$}-])${path.replace(/\W/g, '\\$&')}/`).test(text))
    .map((path) => `${file} holds a path of one machine, below ${path}`)
}

/** This checkout, the folder it lies in, and homes. */
function machinePaths(root) {
  return [...new Set([root, dirname(root), homedir()])].filter((path) => !COMMON_FOLDERS.includes(path))
}

runCheck('check-docs', findProblems)
