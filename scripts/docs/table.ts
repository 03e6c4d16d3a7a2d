/** A Markdown table. A `|` inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => row.map(escapeCell))];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** A key's default as code, with the other choices. Without a default: what it takes, and whether it is required. */
export function valueCell(types: readonly string[], fallback: string, isRequired: boolean): string {
  if (fallback !== '') {
    const others = types.filter((type) => type.startsWith('`') && type !== code(fallback));
    return [code(fallback), ...(others.length === 0 ? [] : [`or ${others.join(', ')}`])].join('; ');
  }
  const taken = types.join(' or ');
  if (!isRequired) return taken;
  return taken === 'text' ? '**required**' : `**required**: ${taken}`;
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replace(/(?<!\\)\|/g, '\\|').replace(/\n/g, ' ');
}
