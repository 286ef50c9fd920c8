/** Characters that word processors and web pages use instead of plain ones. */
const NAMES: Record<string, string> = {
  '\u2018': 'a typographic quotation mark',
  '\u2019': 'a typographic quotation mark',
  '\u201a': 'a typographic quotation mark',
  '\u201c': 'a typographic quotation mark',
  '\u201d': 'a typographic quotation mark',
  '\u201e': 'a typographic quotation mark',
  '\u00ab': 'a typographic quotation mark',
  '\u00bb': 'a typographic quotation mark',
  '\u2013': 'a typographic dash',
  '\u2014': 'a typographic dash',
  '\u00a0': 'a no-break space',
  '\u202f': 'a no-break space',
  '\u2009': 'a thin space',
  '\u200b': 'a space of no width',
  '\ufeff': 'a byte order mark',
};

/** Matches one such character. */
export const STRAY = new RegExp(`[${Object.keys(NAMES).join('')}]`);

/** @returns the name of a character as in `a no-break space (U+00A0)`, with the character itself if it is visible */
export function nameStray(character: string): string {
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const name = NAMES[character] ?? 'a character';
  return /space|byte/.test(name) ? `${name} (U+${code})` : `${name} (${character})`;
}
