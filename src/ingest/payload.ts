import { mediaTypeOf } from './media-type.ts';

const types = ['application/json', 'application/x-www-form-urlencoded'] as const;
export type PayloadType = (typeof types)[number];

/** The content types that GitHub can be told to send; undefined for any other. */
export function payloadTypeOf(contentType: string | undefined): PayloadType | undefined {
  const given = mediaTypeOf(contentType);
  return types.find((type) => type === given);
}

/** The payload in a body, as `{ payload }`; undefined where it is not what its type says. A form has it in its field `payload`. */
export function parsePayload(body: Buffer, type: PayloadType): { payload: unknown } | undefined {
  const text = body.toString('utf8');
  const json = type === 'application/json' ? text : new URLSearchParams(text).get('payload');
  if (json === null) return undefined;
  try {
    return { payload: JSON.parse(json) };
  } catch {
    return undefined;
  }
}
