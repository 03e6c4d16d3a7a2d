/** A Markdown table; a `|` inside a cell is escaped. */
export function table(head, rows) {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => row.map(escapeCell))];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function code(text) {
  return text === '' ? '' : `\`${text}\``;
}

function escapeCell(text) {
  return text.replace(/(?<!\\)\|/g, '\\|').replace(/\n/g, ' ');
}
