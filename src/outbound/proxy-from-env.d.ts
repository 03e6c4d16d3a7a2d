// The package has no types.
declare module 'proxy-from-env' {
  /** The proxy for requests to this URL; '' where there is none. Reads the environment anew at each call. */
  export function getProxyForUrl(url: string | URL): string;
}
