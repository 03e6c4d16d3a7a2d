/** One row for each key of a JSON schema, nested keys by their path, `[]` for a list's; members of a union are folded into one. */
export function schemaRows(schema, at = []) {
  const objects = membersOf(schema).filter(({ properties }) => properties !== undefined);
  const names = new Set(objects.flatMap(({ properties }) => Object.keys(properties)));
  return [...names].flatMap((name) => {
    const holders = objects.filter(({ properties }) => Object.hasOwn(properties, name));
    const nodes = holders.map(({ properties }) => properties[name]);
    const path = [...at, name];
    const row = {
      path,
      type: [...new Set(nodes.flatMap(typesOf))].join(' | '),
      fallback: fallbackOf(name, nodes[0], holders),
      doc: [nodes[0].description, onlyWith(holders, objects)].filter(Boolean).join(' '),
    };
    const [{ type, items }] = nodes;
    return [
      row,
      ...(type === 'array' ? schemaRows(items, [...at, `${name}[]`]) : schemaRows(nodes[0], path)),
    ];
  });
}

function membersOf(node) {
  return (node.anyOf ?? node.oneOf ?? [node]).flatMap((member) =>
    member === node ? [node] : membersOf(member),
  );
}

function typesOf(node) {
  return membersOf(node).flatMap((member) => {
    if (member.const !== undefined) return [`\`${member.const}\``];
    if (member.enum !== undefined) return member.enum.map((value) => `\`${value}\``);
    if (member.type === 'array') return [`list of ${typesOf(member.items).join(' | ')}`];
    return [{ object: 'mapping', integer: 'whole number' }[member.type] ?? member.type ?? 'text'];
  });
}

function fallbackOf(name, node, holders) {
  if (node.default !== undefined) return `\`${JSON.stringify(node.default)}\``;
  return holders.every(({ required }) => required?.includes(name)) ? '**required**' : '';
}

/** Where only some members of a union have the key: which, by the value that tells them apart. */
function onlyWith(holders, objects) {
  if (holders.length === objects.length) return '';
  const marks = holders.flatMap(({ properties }) =>
    Object.values(properties).flatMap((node) => (node.const === undefined ? [] : [`\`${node.const}\``])),
  );
  return `Only with ${[...new Set(marks)].join(', ')}.`;
}
