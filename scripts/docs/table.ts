/** A Markdown table. A `|` inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => row.map(escapeCell))];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** For what is too little for a table. The mark separates a key from its meaning. */
export function list(rows: readonly (readonly [string, string])[], mark: ':' | '.'): string {
  return rows.map(([key, meaning]) => `- ${key}${mark} ${meaning}`).join('\n');
}

/**
 * A key's spellings as code, with its default as YAML (`port: 6000`) and the other choices. Without a default: whether
 * it is required, and what it takes other than text.
 */
export function keyCell(
  spellings: readonly string[],
  types: readonly string[],
  fallback: string,
  isRequired: boolean,
): string {
  if (fallback !== '') {
    const others = types.filter((type) => type.startsWith('`') && type !== code(fallback));
    const keys = spellings.map((key) => code(`${key}: ${fallback}`)).join(' or ');
    return others.length === 0 ? keys : `${keys}, or ${others.join(', ')}`;
  }
  const key = `${spellings.map(code).join(' or ')}${isRequired ? ', **required**' : ''}`;
  const taken = types.join(types.length > 2 ? ', ' : ' or ');
  if (taken === 'text' || taken === 'mapping') return key;
  return taken.includes('`') ? `${key}: ${taken}` : `${key} (${taken})`;
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replace(/(?<!\\)\|/g, '\\|').replace(/\n/g, ' ');
}
