/** A value that cannot be used; the message says what would be. Collected, never shown alone. */
export class ParamFault extends Error {
  override readonly name = 'ParamFault';
}
