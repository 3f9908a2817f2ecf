/**
 * Finds circles of imports. One rule finds them all: in every folder, its files and subfolders must not import each other in a
 * circle. A circle of files that runs through several folders is a circle of those folders, in the folder where their paths
 * part. The files directly in a package's `src` or `native` count as a folder too: it may import the other folders there or be
 * imported by them, but not both.
 */

/**
 * The circles among `edges`, each `{ from, to, text }` with paths of files.
 * @returns of each circle its folder, its members (files or folders, sorted), and the texts of one way round
 */
export function findCircles(edges) {
  const files = new Set(edges.flatMap(({ from, to }) => [from, to]))
  return [...edgesByFolder(edges)].flatMap(([folder, inFolder]) => {
    const circles = circlesIn(folder, inFolder)
    return circles.length > 0 ? circles : circlesIn(folder, betweenRooms(folder, inFolder, files))
  })
}

function circlesIn(folder, edges) {
  return knots(edges).map((members) => ({ folder, members, way: wayRound(edges, members) }))
}

/** The edges of a package's `src` or `native` with its files taken as one, under the name of the folder. */
function betweenRooms(folder, edges, files) {
  if (!/^packages\/[^/]+\/(src|native)$/.test(folder)) return []
  const room = (entry) => (files.has(entry) ? folder : entry)
  const rooms = edges.map(({ from, to, text }) => ({ from: room(from), to: room(to), text }))
  return rooms.filter(({ from, to }) => from !== to)
}

/** Each edge stands in the deepest folder that has both files, as one between two entries of that folder. */
function edgesByFolder(edges) {
  const folders = new Map()
  for (const { from, to, text } of edges) {
    const [fromParts, toParts] = [from.split('/'), to.split('/')]
    let depth = 0
    while (depth < fromParts.length - 1 && fromParts[depth] === toParts[depth]) depth += 1
    const folder = fromParts.slice(0, depth).join('/')
    const entry = (parts) => parts.slice(0, depth + 1).join('/')
    const known = folders.get(folder) ?? []
    folders.set(folder, [...known, { from: entry(fromParts), to: entry(toParts), text }])
  }
  return folders
}

/** Sets of entries that reach each other; one alone only if it names itself. */
function knots(edges) {
  const next = (entry) => edges.filter(({ from }) => from === entry).map(({ to }) => to)
  const reached = new Map(edges.map(({ from }) => [from, reachable(from, next)]))
  const inCircle = [...reached.keys()].filter((entry) => reached.get(entry).has(entry)).sort()
  const sets = inCircle.map((entry) => inCircle.filter((other) => other === entry || isMutual(reached, entry, other)))
  return sets.filter((set, index) => set[0] === inCircle[index])
}

function isMutual(reached, a, b) {
  return reached.get(a).has(b) && reached.get(b).has(a)
}

function reachable(start, next) {
  const found = new Set()
  const open = [...next(start)]
  while (open.length > 0) {
    const entry = open.pop()
    if (found.has(entry)) continue
    found.add(entry)
    open.push(...next(entry))
  }
  return found
}

/** The shortest way from the first member back to itself. */
function wayRound(edges, [start]) {
  const ways = [[start, []]]
  const seen = new Set()
  for (const [entry, texts] of ways) {
    for (const { from, to, text } of edges) {
      if (from !== entry || seen.has(to)) continue
      if (to === start) return [...texts, text]
      seen.add(to)
      ways.push([to, [...texts, text]])
    }
  }
}
