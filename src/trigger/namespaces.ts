import type { ConfiguredConnection } from './trigger.ts';

/** Whether a namespace may use a connection; `*` in a pattern stands for any run of characters. */
export function allows({ namespaces }: ConfiguredConnection, namespace: string): boolean {
  return namespaces.some((pattern) => matches(pattern, namespace));
}

function matches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === name;
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let from = head.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > name.length - tail.length) return false;
    from = at + part.length;
  }
  return true;
}
