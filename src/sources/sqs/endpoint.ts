/** `HTTP://LocalStack:4566/` → `http://localstack:4566`, so that equal endpoints are equal texts; undefined: none. */
export function normaliseEndpoint(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { username, password, pathname, search, hash, origin } = new URL(text);
  return username + password + search + hash === '' && pathname === '/' ? origin : undefined;
}
