import { DocumentError } from './document-error.ts';

// A generated block stands between `<!-- generated: NAME (npm run generate) -->` and `<!-- end -->`.

const BLOCK = /^<!-- generated: (\S+) \(npm run generate\) -->\n[\s\S]*?^<!-- end -->$/gm;

/**
 * Fills the generated blocks of a document.
 *
 * @param file its path, for the message
 * @param contents the text of each block by its name
 * @throws {DocumentError} when the document lacks a block, or has one that is not among `contents`
 */
export function fillBlocks(file: string, text: string, contents: Record<string, string>): string {
  const missing = new Set(Object.keys(contents));
  const filled = text.replace(BLOCK, (_, name: string) => {
    const content = contents[name];
    if (content === undefined)
      throw new DocumentError(`${file} has a block "${name}" that nothing generates.`);
    missing.delete(name);
    return `${open(name)}\n${content}\n<!-- end -->`;
  });
  if (missing.size > 0) {
    const lines = [...missing].map((name) => `  ${open(name)}\n  <!-- end -->`);
    throw new DocumentError(
      `${file} lacks a generated block. Add these lines where it belongs:\n${lines.join('\n')}`,
    );
  }
  return filled;
}

function open(name: string): string {
  return `<!-- generated: ${name} (npm run generate) -->`;
}
