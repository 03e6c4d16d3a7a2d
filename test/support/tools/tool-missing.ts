/** Why this machine cannot provide something that tests need. It is not a fault of the repository. Says what to install. */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing';
}
