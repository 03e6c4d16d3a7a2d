import { isMapping, type Mapping, type Path } from './document.ts';

/**
 * Connections without `namespaces`, where another of the same source and address has some: any namespace may use the
 * login of the first. Reads no secrets.
 */
export function openConnections(connections: unknown): readonly { path: Path; text: string }[] {
  const entries = Object.entries(isMapping(connections) ? connections : {}).flatMap(([name, entry]) =>
    isMapping(entry) ? [{ name, entry, addresses: addressesOf(entry) }] : [],
  );
  return entries.flatMap(({ name, entry, addresses }) => {
    if (entry['namespaces'] !== undefined) return [];
    const other = entries.find(
      (one) =>
        Array.isArray(one.entry['namespaces']) &&
        !one.entry['namespaces'].includes('*') &&
        one.addresses.some((address) => addresses.includes(address)),
    );
    if (other === undefined) return [];
    const text = `connections.${name}: has no namespaces, so any namespace may use its login to where connection ${other.name} measures: write namespaces, or ["*"] if all may`;
    return [{ path: ['connections', name], text }];
  });
}

/** One in common is the same place: brokers or servers, a GitHub owner, or the account of a region. */
function addressesOf(entry: Mapping): readonly string[] {
  const { source, bootstrapServers, servers, owner, apiUrl, region, endpoint, roleArn } = entry;
  const text = (value: unknown): string =>
    typeof value === 'string' ? value.toLowerCase().replace(/\/+$/, '') : '';
  const inList = [bootstrapServers, servers]
    .flatMap((list) => (Array.isArray(list) ? list : [list]))
    .map(text);
  const account = /^arn:[\w-]+:iam::(\d+):/.exec(text(roleArn))?.[1] ?? '';
  const alone = owner !== undefined ? [text(apiUrl), text(owner)] : [text(region), text(endpoint), account];
  const isAlone = owner !== undefined || region !== undefined;
  return [
    ...inList.filter((one) => one !== '').map((one) => JSON.stringify([source, one])),
    ...(isAlone ? [JSON.stringify([source, ...alone])] : []),
  ];
}
