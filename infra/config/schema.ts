import { z } from 'zod';
import { checkArns } from './arn.ts';
import { connection } from './connection.ts';
import { checkOwners, type Entry } from './existing-secret.ts';
import { quote, suggest } from './fault.ts';
import { checkPolicySize } from './policy-size.ts';
import { project } from './project.ts';
import { type Breach, ruled, settingsOf } from './rule.ts';
import { stack } from './stack.ts';
import { keys, named } from './values.ts';

const file = keys('The configuration of polyai-chat-closer.', {
  $schema: z
    .string({ error: 'Write "./connections.schema.json"' })
    .meta({ description: 'For editors.' })
    .exactOptional(),
  stack: stack.prefault({}),
  polyai: named('The PolyAI projects, by names that you choose.', project, 'names no project'),
  connections: named('The CRMs’ webhooks, by names that you choose.', connection, 'names no connection'),
});

/** The file with every default filled in, except those that come from a region or a preset. */
export type Configuration = z.output<typeof file>;

/**
 * connections.json as a user writes it, with the rules across projects and connections.
 *
 * @param stackName the names of the secrets that the stack makes begin with it
 */
export function schemaFor(stackName: string): typeof file {
  return ruled(
    file,
    (value) => checkArns(settingsOf(value)),
    (value) => checkOwners(entriesOf(value), stackName),
    (value) => ['polyai', 'connections'].flatMap((kind) => checkPolicySize(kind, entriesOf(value))),
    checkProjects,
  );
}

/** The text of connections.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(file, { io: 'input', target: 'draft-7' }), null, 2)}\n`;
}

function checkProjects(value: unknown): Breach[] {
  const { polyai, connections } = settingsOf(value);
  const projects = Object.keys(settingsOf(polyai));
  // A file without projects has a fault for that, and there is nothing to choose from.
  if (projects.length === 0) return [];
  return Object.entries(settingsOf(connections)).flatMap(([name, connection]) => {
    const { polyai: named } = settingsOf(connection);
    if (typeof named !== 'string' || projects.includes(named)) return [];
    return [
      {
        path: ['connections', name, 'polyai'],
        problem: `is ${quote(named)}, but no project has that name`,
        fix: suggest(named, projects),
      },
    ];
  });
}

function entriesOf(value: unknown): Entry[] {
  const { polyai, connections } = settingsOf(value);
  const entries = (kind: Entry['kind'], owners: unknown) =>
    Object.entries(settingsOf(owners)).map(([name, settings]) => ({
      kind,
      name,
      settings: settingsOf(settings),
    }));
  return [...entries('polyai', polyai), ...entries('connections', connections)];
}
