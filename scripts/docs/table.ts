/** A Markdown table. A `|` inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => row.map(escapeCell))];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replace(/(?<!\\)\|/g, '\\|').replace(/\n/g, ' ');
}
