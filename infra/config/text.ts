/**
 * A value of the file as a rule reads it: a string unchanged, anything else as an empty string. `String` would throw
 * for an object whose `toString` is not a function.
 */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
