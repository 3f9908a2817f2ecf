/** The picture for Graphviz: `memsvc inspect --dot | dot -Tsvg`. */
import type { Inspection } from './inspection.ts'
import { layOut } from './layout.ts'
import { descriptorWords, fileLines, holderLines, mappingWords, memoryLines, titleOf } from './words.ts'

export function drawDot(inspection: Inspection): string[] {
  const { columns, files } = layOut(inspection)
  const memory = `memory [shape=box3d, label=${label(['the memory', ...memoryLines(inspection)])}]`
  return [
    `digraph ${quote(titleOf(inspection))} {`,
    '  graph [rankdir=TB, fontname="sans-serif", labelloc=t]',
    '  node [shape=box, fontname="sans-serif"]',
    `  label=${quote(titleOf(inspection))}`,
    ...columns.flatMap(({ process }, i) => [
      `  subgraph cluster_${i} {`,
      `    label=${label(holderLines(process))}`,
      ...process.descriptors.map((each) => `    ${nodeOf(each)} [label=${quote(descriptorWords(each))}]`),
      ...process.mappings.map(
        (each, m) => `    mapping_${process.pid}_${m} [shape=note, label=${quote(mappingWords(each))}]`,
      ),
      '  }',
    ]),
    ...files.map((file) => `  file_${file.id} [style=rounded, label=${label(fileLines(file))}]`),
    `  ${memory}`,
    ...columns.flatMap(({ descriptors }) =>
      descriptors.map((each) => `  ${nodeOf(each)} -> ${each.openFile === null ? 'memory' : `file_${each.openFile}`}`),
    ),
    ...files.map(({ id }) => `  file_${id} -> memory`),
    ...columns.flatMap(({ process }) =>
      process.mappings.map((_, m) => `  mapping_${process.pid}_${m} -> memory [style=dashed]`),
    ),
    '}',
  ]
}

function nodeOf({ pid, fd }: { pid: number; fd: number }): string {
  return `fd_${pid}_${fd}`
}

function label(lines: readonly string[]): string {
  return quote(lines.join('\n'))
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
