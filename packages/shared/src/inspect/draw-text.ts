/** The picture for a terminal: boxes of line-drawing characters, as many columns beside each other as fit. */
import type { HeldDescriptor, Inspection } from './inspection.ts'
import { type Column, layOut, type PlacedFile } from './layout.ts'
import { descriptorWords, fileLines, holderLines, mappingWords, memoryLines, titleOf } from './words.ts'

/** Between two columns. */
const GAP = 3

/** @param width of the terminal, in characters */
export function drawText(inspection: Inspection, width: number): string[] {
  const { columns, files } = layOut(inspection)
  const blocks = columns.map((column) => drawColumn(column, files))
  const rows = inRows(blocks, width)
  const picture = rows.flatMap((row) => [...beside(row), ''])
  return [
    titleOf(inspection),
    '',
    ...(columns.length === 0 ? ['no visible process holds it', ''] : picture),
    ...memoryBox(inspection, Math.max(0, ...picture.map((line) => line.length))),
    ...inspection.unseen.map((sentence) => `not seen: ${sentence}`),
  ]
}

/** A process, its descriptors with their open files, and its mappings. All lines are of one width. */
function drawColumn({ process, descriptors }: Column, files: readonly PlacedFile[]): string[] {
  const boxes = descriptors.map((descriptor) => drawDescriptor(descriptor, files))
  const held = boxes.length === 0 ? ['no descriptor'] : beside(boxes)
  return padded([...holderLines(process), ...held, ...process.mappings.map((each) => `▾ ${mappingWords(each)}`)])
}

/** A descriptor above its open file, which leads to the memory. */
function drawDescriptor(descriptor: HeldDescriptor, files: readonly PlacedFile[]): string[] {
  const file = files.find(({ id }) => id === descriptor.openFile)
  const shared = file !== undefined && file.descriptors > 1 ? [`${file.descriptors} descriptors`] : []
  const inFile = file === undefined ? ['an open file', `${descriptor.access}`] : [...fileLines(file), ...shared]
  const inner = Math.max(...inFile.map((line) => line.length), descriptorWords(descriptor).length)
  const middle = Math.floor(inner / 2) + 1
  const arrow = `${' '.repeat(middle + 1)}▼`
  return padded([...box([descriptorWords(descriptor)], inner), arrow, ...box(inFile, inner), arrow])
}

function memoryBox(inspection: Inspection, width: number): string[] {
  const lines = ['the memory', ...memoryLines(inspection)]
  return box(lines, Math.max(width - 4, ...lines.map((line) => line.length)))
}

function box(lines: readonly string[], inner: number): string[] {
  return [
    `┌${'─'.repeat(inner + 2)}┐`,
    ...lines.map((line) => `│ ${line.padEnd(inner)} │`),
    `└${'─'.repeat(inner + 2)}┘`,
  ]
}

/** Blocks side by side, the shorter ones filled up below. */
function beside(blocks: readonly (readonly string[])[]): string[] {
  const height = Math.max(0, ...blocks.map((block) => block.length))
  return Array.from({ length: height }, (_, y) =>
    blocks
      .map((block) => (block[y] ?? '').padEnd(widthOf(block)))
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
}

function inRows(blocks: readonly (readonly string[])[], width: number): (readonly string[])[][] {
  const rows: (readonly string[])[][] = []
  let used = 0
  for (const block of blocks) {
    const row = rows.at(-1)
    const needed = widthOf(block)
    if (row !== undefined && used + GAP + needed <= width) {
      row.push(block)
      used += GAP + needed
    } else {
      rows.push([block])
      used = needed
    }
  }
  return rows
}

function widthOf(block: readonly string[]): number {
  return Math.max(0, ...block.map((line) => line.length))
}

function padded(lines: readonly string[]): string[] {
  const width = widthOf(lines)
  return lines.map((line) => line.padEnd(width))
}
