import { isJson, isText, mediaTypeOf } from '../media-type.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What bytes say, or in words why they say nothing. */
export type Content = { readonly value: unknown } | { readonly fault: string };

/** JSON, with or without a byte order mark. */
export function jsonOf(bytes: Uint8Array): Content {
  const text = textOf(bytes);
  if (text === undefined) return { fault: 'is not UTF-8' };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { fault: 'is not JSON' };
  }
}

/** The data that came as bytes of this content type: JSON, text, or undefined where it is neither, or nothing. */
export function dataOf(bytes: Uint8Array, contentType: string | undefined): Content {
  const mediaType = mediaTypeOf(contentType);
  if (bytes.length === 0) return { value: undefined };
  if (isJson(mediaType)) return jsonOf(bytes);
  return { value: isText(mediaType) ? textOf(bytes) : undefined };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
