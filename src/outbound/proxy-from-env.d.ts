// The package has no types.
declare module 'proxy-from-env' {
  /** The proxy for requests to this URL, or ''. Reads the environment at each call. */
  export function getProxyForUrl(url: string | URL): string;
}
