/** A `Content-Type` without its parameters, in lower case (RFC 9110 §8.3.1: both carry no meaning here). */
export function mediaTypeOf(contentType: string | undefined): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** JSON by its media type, as CloudEvents see it: any `json`, any `+json` (JSON event format 1.0 §3.1.1). */
export function isJson(mediaType: string): boolean {
  return /^[^/]+\/(?:json|[^/]+\+json)$/.test(mediaType);
}

export function isText(mediaType: string): boolean {
  return /^text\/|^application\/xml$|\+xml$/.test(mediaType);
}
