import { type Field, LINES, type LineType } from '../../functions/line.ts';
import { code, table } from './markdown.ts';

const TYPES: Record<Field['type'], string> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  ids: 'array of strings',
  counts: 'object',
  parts: 'array of objects',
  error: 'object',
};

/** The fields of a type of line, for docs/operations.md. */
export function lineTable(type: LineType): string {
  const fields = Object.entries<Field>(LINES[type]).map(([name, field]) => [
    code(name),
    TYPES[field.type],
    field.meaning,
    field.absent,
  ]);
  const first = [code('type'), 'string', code(type), 'never'];
  return table(['Field', 'Type', 'Meaning', 'Absent when'], [first, ...fields]);
}
