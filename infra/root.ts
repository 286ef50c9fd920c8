import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository or of the installed package, absolute, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** The ending of our own sources: `.ts` in the repository, `.js` in the package. */
export const SOURCE = extname(import.meta.url);
