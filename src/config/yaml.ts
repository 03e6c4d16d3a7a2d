import type { YAMLError } from 'yaml';
import { LineCounter, parseDocument } from 'yaml';

export type ParsedYaml = { value: unknown } | { faults: readonly string[] };

/** Reads YAML. Faults say line and column but quote nothing: the line may hold a secret. */
export function parseYaml(text: string): ParsedYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0)
    return { faults: document.errors.map((error) => describe(error, lineCounter)) };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return { faults: ['is not YAML: its aliases cannot be resolved'] };
  }
}

function describe(error: YAMLError, lines: LineCounter): string {
  const { line, col } = lines.linePos(error.pos[0]);
  // Some of the parser's messages go on with the text they are about.
  const message = error.message.split(/[:\n]/, 1)[0] ?? error.message;
  return `is not YAML: line ${line}, column ${col}: ${message} (${error.code})`;
}
