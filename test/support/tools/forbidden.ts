/** What a machine does not let a test do, whatever is installed on it: a reason to skip, in CI too. */
export class Forbidden extends Error {
  override readonly name = 'Forbidden';
}
