/** The picture as SVG, as the seed draws it: descriptors, their open files, the memory; one column for each process. */
import type { HeldDescriptor, Inspection } from './inspection.ts'
import { type Column, type Layout, layOut, type PlacedFile } from './layout.ts'
import { descriptorWords, fileLines, holderLines, mappingWords, memoryLines, titleOf } from './words.ts'

const COLUMN = 250
const MARGIN = 16
const LINE = 17
const FD = { width: 64, height: 28, gap: 10 }
const FILE = { width: 176, height: 46, gap: 14 }
const ARROW = 46
const PROCESS_HEAD = 3 * LINE + 14

/** Its own colours, light and dark; a page that has the picture in it has them itself. */
const STYLE = `<style>
.mem{font:13px system-ui,sans-serif;fill:#1d2733}.mem .small{font-size:11.5px;fill:#526070}.mem .head{font-weight:600}
.mem .process{fill:#f3f6fa;stroke:#c3ccd8}.mem .fd{fill:#fff;stroke:#2563a8}.mem .file{fill:#fff7e0;stroke:#a87b16}
.mem .memory{fill:#e3f4e8;stroke:#2c7a46;stroke-width:2}.mem .line{fill:none;stroke:#526070}.mem .map{stroke-dasharray:4 4;stroke:#2c7a46}
.mem .back{fill:#fff}.mem .writes{stroke:#b3261e}.mem .tip{fill:#526070}
@media (prefers-color-scheme:dark){.mem{fill:#e6ebf1}.mem .small{fill:#a4b1c0}.mem .process{fill:#1b2430;stroke:#3a4858}
.mem .fd{fill:#121821;stroke:#6ea8e6}.mem .file{fill:#2e2812;stroke:#d9ad45}.mem .memory{fill:#12301d;stroke:#5fbf7f}
.mem .line{stroke:#a4b1c0}.mem .map{stroke:#5fbf7f}.mem .back{fill:#0e141b}.mem .writes{stroke:#f2867e}.mem .tip{fill:#a4b1c0}}
</style>`

export interface SvgOptions {
  /** Whether it brings its colours. */
  readonly style?: boolean
}

/** One picture of all of them, one below the other. */
export function drawSvg(inspections: readonly Inspection[], { style = true }: SvgOptions = {}): string {
  const pictures = inspections.map(drawOne)
  const width = Math.max(0, ...pictures.map((each) => each.width))
  let top = 0
  const placed = pictures.map(({ parts, height, ...own }) => {
    const y = top
    top += height
    return `<svg y="${y}" width="${own.width}" height="${height}">${parts}</svg>`
  })
  const size = `viewBox="0 0 ${width} ${top}" width="${width}" height="${top}"`
  const title = inspections.map(titleOf).join(', ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="mem" role="img" aria-label="${escapeXml(`who holds the memory of ${title}`)}" ${size}>`,
    style ? STYLE : '',
    `<rect class="back" width="${width}" height="${top}"/>`,
    ...placed,
    '</svg>',
  ].join('\n')
}

function drawOne(inspection: Inspection): { parts: string; width: number; height: number } {
  const layout = layOut(inspection)
  const rows = Math.max(
    0,
    ...layout.columns.map(({ descriptors }) => Math.ceil(Math.max(descriptors.length, 1) / PER_ROW)),
  )
  const maps = Math.max(0, ...layout.columns.map(({ process }) => process.mappings.length))
  const head = MARGIN + 24
  // Below all words of the process: arrows begin there.
  const fdsTop = head + PROCESS_HEAD + maps * LINE
  const processEnd = fdsTop + rows * (FD.height + FD.gap) + 4
  const placed = placeFiles(layout.files, processEnd + ARROW)
  const memory = { top: placed.bottom + ARROW, height: 4 * LINE + 18 }
  const width = Math.max(layout.columns.length * COLUMN, placed.width, 420) + 2 * MARGIN
  const height = memory.top + memory.height + MARGIN
  const parts = [
    `<title>${escapeXml(titleOf(inspection))}: who holds the memory</title><desc>${escapeXml(describe(layout, inspection))}</desc>`,
    text({ x: MARGIN, y: MARGIN + 12, words: titleOf(inspection), look: 'head' }),
    ...layout.columns.map((column, i) =>
      drawProcess(column, { left: MARGIN + i * COLUMN, head, fdsTop, bottom: processEnd }),
    ),
    ...placed.files.map((file) => drawFile(file, memory.top)),
    ...layout.columns.flatMap(({ descriptors }, i) =>
      descriptors.map((each, n) => drawArrow(each, { from: fdAt(n, MARGIN + i * COLUMN, fdsTop), placed, memory })),
    ),
    ...layout.columns.map(({ process }, i) =>
      process.mappings.length === 0 ? '' : dashed(MARGIN + i * COLUMN + COLUMN - 26, processEnd, memory.top),
    ),
    drawMemory(inspection, { ...memory, width: width - 2 * MARGIN }),
  ]
  return { parts: parts.join('\n'), width, height }
}

const PER_ROW = 3

interface Point {
  readonly x: number
  readonly y: number
}

interface FileBox extends PlacedFile {
  readonly x: number
  readonly y: number
}

function fdAt(n: number, left: number, top: number): Point {
  return { x: left + 14 + (n % PER_ROW) * (FD.width + FD.gap), y: top + Math.floor(n / PER_ROW) * (FD.height + FD.gap) }
}

/** Open files are placed below their descriptors; one without room there is moved to the right. */
function placeFiles(files: readonly PlacedFile[], top: number): { files: FileBox[]; bottom: number; width: number } {
  let free = MARGIN
  const placed = files.map((file) => {
    const wanted = MARGIN + (file.at + 0.5) * COLUMN - FILE.width / 2 - 22
    const x = Math.max(free, wanted)
    free = x + FILE.width + FILE.gap
    return { ...file, x, y: top }
  })
  return { files: placed, bottom: top + (files.length === 0 ? 0 : FILE.height), width: free }
}

function drawProcess(
  { process, descriptors }: Column,
  { left, head, fdsTop, bottom }: { left: number; head: number; fdsTop: number; bottom: number },
): string {
  const [name = '', command = '', rights = ''] = holderLines(process)
  const canWrite = rights.endsWith('write') ? ' writes' : ''
  return [
    `<rect class="process${canWrite}" x="${left}" y="${head}" width="${COLUMN - 14}" height="${bottom - head}" rx="8"/>`,
    text({ x: left + 14, y: head + LINE + 4, words: name, look: 'head' }),
    text({ x: left + 14, y: head + 2 * LINE + 4, words: cut(command, 34), look: 'small' }),
    text({ x: left + 14, y: head + 3 * LINE + 4, words: rights, look: 'small' }),
    ...descriptors.map((each, n) => {
      const { x, y } = fdAt(n, left, fdsTop)
      return `<rect class="fd" x="${x}" y="${y}" width="${FD.width}" height="${FD.height}" rx="5"/>${text({ x: x + FD.width / 2, y: y + 19, words: descriptorWords(each), look: 'middle' })}`
    }),
    ...process.mappings.map((each, n) =>
      text({
        x: left + 14,
        y: head + (n + 4) * LINE + 4,
        words: mappingWords({ ...each, residentPages: null }),
        look: 'small',
      }),
    ),
  ].join('')
}

function drawFile({ x, y, ...file }: FileBox, memoryTop: number): string {
  const [name = '', facts = ''] = fileLines(file)
  const middle = x + FILE.width / 2
  return [
    `<rect class="file" x="${x}" y="${y}" width="${FILE.width}" height="${FILE.height}" rx="5"/>`,
    text({ x: middle, y: y + 19, words: name, look: 'middle' }),
    text({ x: middle, y: y + 36, words: facts, look: 'small middle' }),
    line({ x: middle, y: y + FILE.height }, { x: middle, y: memoryTop }),
  ].join('')
}

function drawArrow(
  { openFile }: HeldDescriptor,
  { from, placed, memory }: { from: Point; placed: { files: FileBox[] }; memory: { top: number } },
): string {
  const file = placed.files.find(({ id }) => id === openFile)
  const start = { x: from.x + FD.width / 2, y: from.y + FD.height }
  return line(start, file === undefined ? { x: start.x, y: memory.top } : { x: file.x + FILE.width / 2, y: file.y })
}

function line(from: Point, to: Point): string {
  const bend = (from.y + to.y) / 2
  const path = `M${from.x} ${from.y}C${from.x} ${bend} ${to.x} ${bend} ${to.x} ${to.y - 6}`
  return `<path class="line" d="${path}"/><path class="tip" d="M${to.x - 4} ${to.y - 7}h8l-4 7z"/>`
}

function dashed(x: number, from: number, to: number): string {
  return `<path class="line map" d="M${x} ${from}V${to}"/>`
}

function drawMemory(
  inspection: Inspection,
  { top, height, width }: { top: number; height: number; width: number },
): string {
  const lines = ['the memory', ...memoryLines(inspection)]
  return [
    `<rect class="memory" x="${MARGIN}" y="${top}" width="${width}" height="${height}" rx="8"/>`,
    ...lines.map((words, i) =>
      text({ x: MARGIN + width / 2, y: top + 20 + i * LINE, words, look: i === 0 ? 'head middle' : 'small middle' }),
    ),
  ].join('')
}

function text({ x, y, words, look }: Point & { words: string; look: string }): string {
  const anchor = look.includes('middle') ? ' text-anchor="middle"' : ''
  return `<text class="${look}" x="${x}" y="${y}"${anchor}>${escapeXml(words)}</text>`
}

/** For who cannot see it. */
function describe({ columns }: Layout, inspection: Inspection): string {
  const holders = columns.map(({ process, descriptors }) => {
    const held = descriptors.map(({ fd, openFile }) => `descriptor ${fd} to open file ${openFile ?? 'unknown'}`)
    return `${holderLines(process).join(', ')}: ${held.join(', ') || 'no descriptor'}`
  })
  return [...holders, memoryLines(inspection).join(', ')].join('. ')
}

function cut(words: string, length: number): string {
  return words.length > length ? `${words.slice(0, length - 1)}…` : words
}

function escapeXml(words: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return words.replace(/[&<>"]/g, (character) => names[character] ?? '').replace(/\p{Cc}/gu, ' ')
}
