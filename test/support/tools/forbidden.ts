/** Something that the machine does not allow, whatever is installed. A reason to skip, in CI too. */
export class Forbidden extends Error {
  override readonly name = 'Forbidden';
}
