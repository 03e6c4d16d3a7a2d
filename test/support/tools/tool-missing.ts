/** Why something that tests need cannot be had on this machine; no fault of the repository. Says what to install. */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing';
}
