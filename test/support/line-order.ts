import { LINES, type LineType } from '../../functions/line.ts';

/** The fields of a line in the order of the schema, `type` first. A field that the schema lacks is left out. */
export function inOrderOfSchema(type: LineType, line: object = {}): string[] {
  return ['type', ...Object.keys(LINES[type])].filter((field) => Object.hasOwn(line, field));
}
