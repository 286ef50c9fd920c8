import { z } from 'zod';
import { connection } from './connection.ts';
import { project } from './project.ts';
import { stack } from './stack.ts';
import { keys, named } from './values.ts';

/** connections.json as a user writes it; its output has every default filled in but the region's and the preset's. */
export const schema = keys('The configuration of polyai-chat-closer.', {
  $schema: z
    .string({ error: 'Write "./connections.schema.json"' })
    .meta({ description: 'For editors.' })
    .exactOptional(),
  stack: stack.prefault({}),
  polyai: named('The PolyAI projects by names of your own.', project, 'names no project'),
  connections: named('The CRMs’ webhooks by names of your own.', connection, 'names no connection'),
});

/** The text of connections.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }), null, 2)}\n`;
}
