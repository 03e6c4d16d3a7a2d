/** Whether a text is a JSON pointer (RFC 6901) into something: `/pipelineRun/metadata/uid`. */
export function isPointer(text: string): boolean {
  return text.startsWith('/') && !/~(?![01])/.test(text);
}

/** What the pointer points at; undefined where there is nothing. */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of pointer.split('/').slice(1)) {
    value = child(value, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return value;
}

function child(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
