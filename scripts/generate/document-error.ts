/** A page or document of the repository that lacks what the generator needs. The message names it and the fix. */
export class DocumentError extends Error {
  override name = 'DocumentError';
}
