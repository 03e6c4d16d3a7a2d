/** The oldest Node that can run this: `engines` of package.json. */
export const oldestNode = '22.18';

/** Why a version of Node, such as `20.20.2`, is too old; undefined where it is not. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = oldestNode.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `backlog-scaler needs Node ${oldestNode} or later, and this is Node ${version}`;
}
