import { z } from 'zod';
import { CANARY } from '../../functions/canary-delivery.ts';
import { checkArns } from './arn.ts';
import { isOnBus } from './bus.ts';
import { connection } from './connection.ts';
import { checkOwners, type Entry } from './existing-secret.ts';
import { quote, suggest } from './fault.ts';
import { checkPolicySize } from './policy-size.ts';
import { project } from './project.ts';
import { type Breach, ruled, type Settings, settingsOf } from './rule.ts';
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

/** connections.json as a user writes it. */
export type ConnectionsFile = z.input<typeof file>;

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
    checkCanary,
  );
}

/** The text of connections.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(file, { io: 'input', target: 'draft-7' }), null, 2)}\n`;
}

function checkProjects(value: unknown): Breach[] {
  const { polyai, connections } = settingsOf(value);
  const projects = Object.keys(settingsOf(polyai));
  return Object.entries(settingsOf(connections)).flatMap(([name, connection]) =>
    checkProject(['connections', name, 'polyai'], settingsOf(connection).polyai, projects),
  );
}

function checkProject(path: string[], named: unknown, projects: string[]): Breach[] {
  // A file without projects has a fault for that, and there is nothing to choose from.
  if (typeof named !== 'string' || projects.length === 0 || projects.includes(named)) return [];
  const problem = `is ${quote(named)}, but no project has that name`;
  return [{ path, problem, fix: suggest(named, projects) }];
}

/** The canary needs an address, a project, and its own connection's name for itself. */
function checkCanary(value: unknown): Breach[] {
  const { polyai, connections } = settingsOf(value);
  const { canary } = settingsOf(settingsOf(value).stack);
  return [
    ...checkReserved(settingsOf(connections)),
    ...(canary === undefined ? [] : checkAddress(settingsOf(connections))),
    ...checkProject(
      ['stack', 'canary', 'polyai'],
      settingsOf(canary).polyai,
      Object.keys(settingsOf(polyai)),
    ),
  ];
}

/** The name is refused without a canary too, so that one can be added at any time. */
function checkReserved(connections: Settings): Breach[] {
  if (!Object.hasOwn(connections, CANARY)) return [];
  return [
    {
      path: ['connections', CANARY],
      problem: 'has a reserved name: the connection of stack.canary has it',
      fix: 'Choose another name',
    },
  ];
}

function checkAddress(connections: Settings): Breach[] {
  const crms = Object.values(connections).map((connection) => settingsOf(connection).crm);
  // An unknown crm, or no connection, has a fault for that.
  const isOnlyOnBuses = crms.length > 0 && crms.every((crm) => typeof crm === 'string' && isOnBus(crm));
  if (!isOnlyOnBuses) return [];
  return [
    {
      path: ['stack', 'canary'],
      problem: 'has no address to send to, because every connection is on an event bus',
      fix: 'Remove it',
    },
  ];
}

function entriesOf(value: unknown): Entry[] {
  const { stack, polyai, connections } = settingsOf(value);
  const entries = (kind: Entry['kind'], owners: unknown) =>
    Object.entries(settingsOf(owners)).map(([name, settings]) => ({
      kind,
      name,
      settings: settingsOf(settings),
    }));
  return [...entries('polyai', polyai), ...entries('connections', connections), ...canaryEntry(stack)];
}

/** The connection that the stack makes for its canary: its secret has an owner, too. */
function canaryEntry(stack: unknown): Entry[] {
  const { canary } = settingsOf(stack);
  if (canary === undefined) return [];
  return [{ kind: 'connections', name: CANARY, settings: { polyai: settingsOf(canary).polyai } }];
}
