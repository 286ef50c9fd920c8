/**
 * The base class of every error that this project throws on purpose. A message says what was attempted, on what,
 * what came back and what to do; it never holds a body, a header or a secret. `cause` keeps the original error.
 *
 * Each class names itself as a text, because the bundler shortens the names of classes.
 */
export class ChatCloserError extends Error {
  override name = 'ChatCloserError';
}
