import type { Api } from './api.ts';

const levels = ['enforce', 'warn', 'audit'];

/** A namespace. With `restricted` it refuses pods that violate that Pod Security Standard. */
export async function makeNamespace(api: Api, name: string, { restricted = false } = {}): Promise<string> {
  const entries = restricted
    ? levels.map((level) => [`pod-security.kubernetes.io/${level}`, 'restricted'])
    : [];
  await api.create('/api/v1/namespaces', { metadata: { name, labels: Object.fromEntries(entries) } });
  return name;
}

export async function makeSecret(
  api: Api,
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  await api.create(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData });
}
